/** Services and pools as they answer now, and the configuration that holds. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { get } from '../api';
import { commands } from '../commands';
import { num, seconds } from '../format';
import { useSection } from '../live';
import { useSession } from '../session';
import { Badge, Card, Empty, Json, Problem, Twin } from '../ui/parts';
import { Line } from '../ui/spark';

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
          <table>
            <thead>
              <tr>
                <th>{t('nav.services')}</th>
                <th>{t('common.state')}</th>
                <th className="n">{t('services.response')}</th>
                <th>{t('common.detail')}</th>
              </tr>
            </thead>
            <tbody>
              {value?.services.map((one) => (
                <tr key={one.service}>
                  <td>{one.service}</td>
                  <td>
                    <Badge word={one.state} />
                  </td>
                  <td className="n">{one.ms === null ? '–' : `${num(one.ms)} ms`}</td>
                  <td>{one.detail}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
        <Card title={t('services.pools')} of={measured} staleMs={20_000}>
          {value?.poolsProblem && <Problem error={new Error(value.poolsProblem)} />}
          <table>
            <thead>
              <tr>
                <th>{t('services.pool')}</th>
                <th className="n">{t('services.pollers')}</th>
                <th className="n">{t('services.backlog')}</th>
                <th className="n">{t('services.oldest')}</th>
              </tr>
            </thead>
            <tbody>
              {value?.pools.map((one) => (
                <tr key={one.pool}>
                  <td>
                    {one.pool}
                    <div className="small dim mono">{one.taskQueue}</div>
                  </td>
                  <td className="n">{one.pollers === 0 ? <Badge word="down" /> : num(one.pollers)}</td>
                  <td className="n">{num(one.backlog)}</td>
                  <td className="n">
                    {one.backlogAgeSeconds === null ? '–' : seconds(one.backlogAgeSeconds)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
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
