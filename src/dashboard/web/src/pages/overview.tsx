/** Health in one line, what runs, whether data is fresh and good, what is wrong. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { RunsSince } from '../../../server/runs';
import { get, queryOf } from '../api';
import { DATA_FLOWS, dayOf, UNWELL } from '../days';
import { num, percent, seconds } from '../format';
import { useNow, useSection } from '../live';
import { said } from '../said';
import { Layers } from '../ui/layers';
import { Age, Badge, Card, Coming, Empty, Time, toneOf } from '../ui/parts';
import { runHref, RunTable } from '../ui/run-table';
import { Slots } from '../ui/slots';
import { Table } from '../ui/table';

const DAY_MS = 24 * 3600_000;

export function Overview() {
  const { t } = useTranslation();
  return (
    <>
      <div className="head">
        <h1>{t('nav.overview')}</h1>
      </div>
      <Health />
      <Tiles />
      <div className="grid">
        <FlowsCard />
        <DatasetsCard />
      </div>
      <div className="grid">
        <AlertsCard />
        <Layers />
      </div>
      <RunsCard />
    </>
  );
}

function Health() {
  const { t } = useTranslation();
  const measured = useSection('services');
  const value = measured.value;
  if (!value)
    return (
      <div className="banner" role="status">
        {measured.problem ?? t('common.loading')}
      </div>
    );
  const down = value.services.filter(({ state }) => state === 'down');
  const idle = value.pools.filter(({ pollers }) => pollers === 0).map(({ pool }) => pool);
  const bad = down.length > 0 || idle.length > 0;
  return (
    <Link href="/services" className={`banner ${bad ? 'bad' : 'ok'}`}>
      <strong>
        {down.length > 0
          ? t('overview.unhealthy', { count: down.length })
          : idle.length > 0
            ? t('overview.noWorkers', { pools: idle.join(', ') })
            : t('overview.healthy')}
      </strong>
      <span className="small">
        {value.services
          .map(({ service, state, ms }) => `${service} ${state === 'up' ? `${num(ms)} ms` : state}`)
          .join(' · ')}
      </span>
      <Age of={measured} staleMs={20_000} />
    </Link>
  );
}

function Tiles() {
  const { t } = useTranslation();
  const runs = useSection('runs');
  const alerts = useSection('alerts');
  const since = new Date(Date.parse(runs.at ?? new Date(0).toISOString()) - DAY_MS).toISOString();
  const lastDay = `/runs${queryOf({ flow: DATA_FLOWS, since })}`;
  const tiles = [
    [
      t('overview.runningNow'),
      runs.value?.running.length,
      runs,
      `/runs${queryOf({ flow: DATA_FLOWS, status: 'running' })}`,
    ],
    [t('overview.runsDay'), runs.value?.lastDay.total, runs, lastDay],
    [t('overview.failedDay'), runs.value?.lastDay.failed, runs, `${lastDay}&status=${UNWELL}`],
    [t('overview.openAlerts'), alerts.value?.open.length, alerts, '/alerts'],
  ] as const;
  return (
    <div className="tiles">
      {tiles.map(([label, value, of, href]) => (
        <Link className="tile" key={label} href={href}>
          <span>{label}</span>
          <b>{num(value)}</b>
          <Age of={of} staleMs={20_000} />
        </Link>
      ))}
    </div>
  );
}

function FlowsCard() {
  const { t } = useTranslation();
  const measured = useSection('flows');
  return (
    <Card title={<Link href="/flows">{t('nav.flows')}</Link>} of={measured}>
      {measured.value?.length === 0 && <Empty>{t('flows.noSchedules')}</Empty>}
      <Table
        rows={measured.value ?? []}
        keyOf={({ scheduleId }) => scheduleId}
        columns={(column) => [
          column(t('common.flow'), ({ scheduleId, flow }) => (
            <>
              <Link href={`/flows#${scheduleId}`}>{scheduleId}</Link>
              <div className="small dim">{flow}</div>
            </>
          )),
          column(t('overview.last'), ({ slots }) => {
            const last = slots.findLast(({ outcome }) => outcome !== 'due');
            return (
              <>
                {last ? <Badge word={last.outcome} /> : <span className="dim">–</span>}
                <div>
                  <Slots slots={slots.slice(-16)} />
                </div>
              </>
            );
          }),
          column(t('overview.next'), ({ paused, next }) =>
            paused ? <Badge word="paused" /> : <Coming iso={next[0]} />,
          ),
          column(
            t('common.duration'),
            ({ duration }) =>
              duration ? (
                <>
                  {seconds(duration.last)}
                  <div className="small dim">
                    {t('overview.usual')} {seconds(duration.p50)}
                  </div>
                </>
              ) : (
                '–'
              ),
            'n',
          ),
        ]}
      />
    </Card>
  );
}

function DatasetsCard() {
  const { t } = useTranslation();
  const measured = useSection('datasets');
  return (
    <Card title={<Link href="/quality">{t('overview.datasets')}</Link>} of={measured}>
      <Table
        rows={measured.value?.rows}
        keyOf={({ dataset }) => dataset}
        columns={(column) => [
          column(t('common.dataset'), ({ dataset }) => <Link href={`/quality/${dataset}`}>{dataset}</Link>),
          column(t('overview.fresh'), ({ freshAt }) => <Time iso={freshAt} />),
          column(t('overview.score'), ({ score }) => (score === null ? '–' : percent(score)), 'n'),
          column(t('overview.refused'), ({ quarantined }) => num(quarantined), 'n'),
          column(t('common.outcome'), ({ lastWorkflowId, lastRunId, lastOutcome }) =>
            lastWorkflowId && lastRunId ? (
              <Link href={runHref({ workflowId: lastWorkflowId, runId: lastRunId })}>
                <Badge word={lastOutcome} />
              </Link>
            ) : (
              <Badge word={lastOutcome} />
            ),
          ),
        ]}
      />
      {measured.value && measured.value.total > measured.value.rows.length && (
        <div className="pad small">
          <Link href="/quality">
            {num(measured.value.rows.length)} / {num(measured.value.total)}
          </Link>
        </div>
      )}
    </Card>
  );
}

function AlertsCard() {
  const { t } = useTranslation();
  const measured = useSection('alerts');
  const open = measured.value?.open ?? [];
  return (
    <Card title={<Link href="/alerts">{t('overview.openAlerts')}</Link>} of={measured}>
      {measured.at && open.length === 0 && (
        <Empty>{measured.value === null ? t('alerts.noReport') : t('overview.noAlerts')}</Empty>
      )}
      {open.length > 0 && (
        <Table
          rows={open.slice(0, 8)}
          keyOf={({ id }) => id}
          columns={[
            { cell: ({ severity }) => <Badge word={severity} /> },
            { cell: ({ summary }) => said(summary) },
            {
              kind: 'nowrap',
              cell: ({ openedAt, since }) => <Time iso={new Date(openedAt ?? since).toISOString()} />,
            },
          ]}
        />
      )}
    </Card>
  );
}

/** The runs of the reader's day, monitoring left out; before the first of them, those that came last. */
function RunsCard() {
  const { t } = useTranslation();
  const measured = useSection('runs');
  const newest = measured.value?.newest ?? [];
  const day = dayOf(new Date(useNow()));
  const path = `/api/runs/since${queryOf({ since: new Date(`${day}T00:00:00`).toISOString() })}`;
  const stamp = newest.map(({ runId, status, phase }) => runId + status + phase).join();
  const today = useQuery({
    queryKey: [path, stamp],
    enabled: measured.at !== null,
    queryFn: () => get<Measured<RunsSince>>(path),
    placeholderData: (before) => before,
    refetchInterval: 15_000,
  }).data;
  const value = today?.value;
  const href = (status: string): string => `/runs${queryOf({ flow: DATA_FLOWS, since: day, status })}`;
  return (
    <Card
      title={<Link href={href('')}>{t('overview.today')}</Link>}
      of={today ?? measured}
      staleMs={40_000}
      actions={
        value && (
          <span className="row">
            {t('runs.total', { count: value.total })}
            {Object.entries(value.statuses).map(([status, count]) => (
              <Link key={status} href={href(status)} className={`badge ${toneOf(status)}`}>
                {t(`word.${status}` as 'word.ok')} · {num(count)}
              </Link>
            ))}
          </span>
        )
      }
    >
      {measured.value && newest.length === 0 && <Empty>{t('overview.noRuns')}</Empty>}
      {value?.total === 0 && newest.length > 0 && <Empty>{t('overview.noneToday')}</Empty>}
      {newest.length > 0 && <RunTable rows={value && value.total > 0 ? value.rows : newest} />}
    </Card>
  );
}
