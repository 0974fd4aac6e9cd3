/** Services and pools as they answer now, and the configuration that holds. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { get } from '../api';
import { commands } from '../commands';
import { num, seconds } from '../format';
import { useSection } from '../live';
import { useSession } from '../session';
import { said } from '../said';
import { Badge, Card, Empty, Json, Problem, Time, Twin } from '../ui/parts';
import { Line } from '../ui/spark';
import { Table } from '../ui/table';

interface History {
  readonly rows: ReadonlyArray<{ readonly service: string; readonly at: string; readonly value: number }>;
}

export default function Services() {
  const { t } = useTranslation();
  const { may } = useSession();
  const measured = useSection('services');
  const value = measured.value;
  const config = useQuery({
    queryKey: ['config'],
    enabled: may('operator'),
    queryFn: () => get<{ config: unknown }>('/api/config'),
  });
  const history = useQuery({
    queryKey: ['responses'],
    queryFn: () => get<History>('/api/services/history'),
    refetchInterval: 60_000,
  });
  const names = [...new Set(history.data?.rows.map(({ service }) => service))];
  return (
    <>
      <div className="head">
        <h1>{t('nav.services')}</h1>
        <Twin command={commands.health()} />
      </div>
      <div className="grid">
        <Card title={t('nav.services')} of={measured} staleMs={20_000}>
          <Table
            rows={value?.services}
            keyOf={({ service }) => service}
            columns={(column) => [
              column(t('nav.services'), ({ service }) => service),
              column(t('common.state'), ({ state }) => <Badge word={state} />),
              column(t('services.response'), ({ ms }) => (ms === null ? '–' : `${num(ms)} ms`), 'n'),
              column(t('common.detail'), ({ detail }) => said(detail)),
            ]}
          />
        </Card>
        <Card title={t('services.pools')} of={measured} staleMs={20_000}>
          {value?.poolsProblem && <Problem error={new Error(value.poolsProblem)} />}
          <Table
            rows={value?.pools}
            keyOf={({ pool }) => pool}
            columns={(column) => [
              column(t('services.pool'), ({ pool, taskQueue }) => (
                <>
                  {pool}
                  <div className="small dim mono">{taskQueue}</div>
                </>
              )),
              column(
                t('services.pollers'),
                ({ pollers }) => (pollers === 0 ? <Badge word="down" /> : num(pollers)),
                'n',
              ),
              column(t('services.backlog'), ({ backlog }) => num(backlog), 'n'),
              column(
                t('services.rate'),
                ({ perSecond }) => (perSecond === null ? '–' : `${num(perSecond, 1)}/s`),
                'n',
              ),
              column(
                t('services.oldest'),
                ({ backlogAgeSeconds: age }) => (age === null ? '–' : seconds(age)),
                'n',
              ),
            ]}
          />
        </Card>
      </div>
      <div className="grid">
        <Card title={t('services.workers')} of={measured} staleMs={20_000}>
          {value?.workers.length === 0 && <Empty>{t('services.noWorkers')}</Empty>}
          {value && value.workers.length > 0 && (
            <Table
              rows={value.workers}
              keyOf={({ identity }) => identity}
              columns={(column) => [
                column(t('services.worker'), ({ identity }) => identity, 'mono'),
                column(t('services.program'), ({ build }) => build || '–', 'mono'),
                column(t('services.pools'), ({ pools }) => pools.join(', ')),
                column(t('services.seen'), ({ seenAt }) => <Time iso={seenAt} />, 'nowrap'),
              ]}
            />
          )}
        </Card>
        <Card title={t('services.versions')} of={measured} staleMs={20_000}>
          <Table
            rows={value?.versions}
            keyOf={({ part }) => part}
            columns={[{ cell: ({ part }) => part }, { kind: 'mono', cell: ({ version }) => version }]}
          />
        </Card>
      </div>
      <Card title={`${t('services.response')} (ms)`}>
        <Problem error={history.error} />
        {history.data && names.length === 0 && <Empty>{t('alerts.noReport')}</Empty>}
        {names.map((name) => (
          <div className="pad" key={name}>
            <span className="dim small">
              {name}: {num(history.data?.rows.findLast(({ service }) => service === name)?.value)} ms
            </span>
            <Line
              label={name}
              height={80}
              min={0}
              points={history.data?.rows.filter(({ service }) => service === name) ?? []}
            />
          </div>
        ))}
      </Card>
      {may('operator') && (
        <Card
          title={t('services.config')}
          actions={<span className="dim small">{t('services.masked')}</span>}
        >
          <Problem error={config.error} />
          <Json label={t('services.config')} value={config.data?.config ?? null} />
        </Card>
      )}
    </>
  );
}
