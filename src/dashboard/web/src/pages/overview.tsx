/** Health in one line, what runs, whether data is fresh and good, what is wrong. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { bytes, compact, num, percent, seconds } from '../format';
import { useSection } from '../live';
import { Age, Badge, Card, Empty, Time } from '../ui/parts';
import { runHref, RunTable } from '../ui/run-table';
import { Slots } from '../ui/slots';

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
        <LayersCard />
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
  const tiles = [
    [t('overview.runningNow'), runs.value?.running.length, runs],
    [t('overview.runsDay'), runs.value?.lastDay.total, runs],
    [t('overview.failedDay'), runs.value?.lastDay.failed, runs],
    [t('overview.openAlerts'), alerts.value?.open.length, alerts],
  ] as const;
  return (
    <div className="tiles">
      {tiles.map(([label, value, of]) => (
        <div className="tile" key={label}>
          <span>{label}</span>
          <b>{num(value)}</b>
          <Age of={of} staleMs={20_000} />
        </div>
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
      <div className="scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t('common.flow')}</th>
              <th>{t('overview.last')}</th>
              <th>{t('overview.next')}</th>
              <th className="n">{t('common.duration')}</th>
            </tr>
          </thead>
          <tbody>
            {measured.value?.map((flow) => {
              const last = flow.slots.findLast(({ outcome }) => outcome !== 'due');
              return (
                <tr key={flow.scheduleId}>
                  <td>
                    <Link href={`/flows#${flow.scheduleId}`}>{flow.scheduleId}</Link>
                    <div className="small dim">{flow.flow}</div>
                  </td>
                  <td>
                    {last ? <Badge word={last.outcome} /> : <span className="dim">–</span>}
                    <div>
                      <Slots slots={flow.slots.slice(-16)} />
                    </div>
                  </td>
                  <td>{flow.paused ? <Badge word="paused" /> : <Time iso={flow.next[0]} />}</td>
                  <td className="n">
                    {flow.duration ? (
                      <>
                        {seconds(flow.duration.last)}
                        <div className="small dim">
                          {t('overview.usual')} {seconds(flow.duration.p50)}
                        </div>
                      </>
                    ) : (
                      '–'
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function DatasetsCard() {
  const { t } = useTranslation();
  const measured = useSection('datasets');
  return (
    <Card title={<Link href="/quality">{t('overview.datasets')}</Link>} of={measured}>
      <div className="scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t('common.dataset')}</th>
              <th>{t('overview.fresh')}</th>
              <th className="n">{t('overview.score')}</th>
              <th className="n">{t('overview.refused')}</th>
              <th>{t('common.outcome')}</th>
            </tr>
          </thead>
          <tbody>
            {measured.value?.rows.map((row) => (
              <tr key={row.dataset}>
                <td>
                  <Link href={`/quality/${row.dataset}`}>{row.dataset}</Link>
                </td>
                <td>
                  <Time iso={row.freshAt} />
                </td>
                <td className="n">{row.score === null ? '–' : percent(row.score)}</td>
                <td className="n">{num(row.quarantined)}</td>
                <td>
                  {row.lastWorkflowId && row.lastRunId ? (
                    <Link href={runHref({ workflowId: row.lastWorkflowId, runId: row.lastRunId })}>
                      <Badge word={row.lastOutcome} />
                    </Link>
                  ) : (
                    <Badge word={row.lastOutcome} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
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
        <table>
          <tbody>
            {open.slice(0, 8).map((one) => (
              <tr key={one.id}>
                <td>
                  <Badge word={one.severity} />
                </td>
                <td>{one.summary}</td>
                <td className="nowrap">
                  <Time iso={new Date(one.openedAt ?? one.since).toISOString()} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function LayersCard() {
  const { t } = useTranslation();
  const measured = useSection('lake');
  const lake = measured.value;
  return (
    <Card title={<Link href="/lake">{t('overview.layers')}</Link>} of={measured}>
      {measured.at && lake?.total === 0 ? (
        <Empty>{t('lake.empty')}</Empty>
      ) : (
        <table>
          <thead>
            <tr>
              <th>{t('overview.layers')}</th>
              <th className="n">{t('overview.tables')}</th>
              <th className="n">{t('common.rows')}</th>
              <th className="n">{t('common.size')}</th>
            </tr>
          </thead>
          <tbody>
            {lake?.layers.map(({ layer, tables, rows, bytes: size }) => (
              <tr key={layer}>
                <td>
                  <Link href={`/lake?layer=${layer}`}>{layer}</Link>
                </td>
                <td className="n">{num(tables)}</td>
                <td className="n" title={num(rows)}>
                  {compact(rows)}
                </td>
                <td className="n">{bytes(size)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function RunsCard() {
  const { t } = useTranslation();
  const measured = useSection('runs');
  return (
    <Card title={<Link href="/runs">{t('overview.latest')}</Link>} of={measured} staleMs={20_000}>
      {measured.value?.newest.length === 0 ? (
        <Empty>{t('overview.noRuns')}</Empty>
      ) : (
        <RunTable rows={measured.value?.newest ?? []} />
      )}
    </Card>
  );
}
