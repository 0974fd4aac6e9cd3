/** One run: what it does now, step by step; what it counted, checked and said; and what can be done about it. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { EtlSummary } from '../../../../contracts/run';
import type { RunView } from '../../../server/run-view';
import { get, post, queryOf } from '../api';
import { commands } from '../commands';
import { useFilter } from '../filter';
import { num, seconds } from '../format';
import { useLiveRun, useNow } from '../live';
import { Action, Badge, Card, Empty, Json, Problem, Time, Twin } from '../ui/parts';
import { MaintenanceSummary, isMaintenance } from '../ui/maintenance-summary';
import { Retry } from '../ui/retry';
import { CheckTable, type CheckRow } from '../ui/check-table';
import { FailedAttempts } from '../ui/failed-attempts';
import { Gantt } from '../ui/gantt';
import { LedgerFlow } from '../ui/ledger-flow';
import { LogView } from '../ui/log-view';
import { Table } from '../ui/table';
import { Tabs } from '../ui/tabs';

export default function Run({ workflowId, runId }: { readonly workflowId: string; readonly runId: string }) {
  const { t } = useTranslation();
  const measured = useLiveRun(workflowId, runId);
  const [filter, set] = useFilter();
  const tab = filter.get('tab') ?? 'timeline';
  const view = measured?.value;
  if (!view)
    return measured?.problem ? (
      <Problem error={new Error(measured.problem)} />
    ) : (
      <p className="dim">{t('common.loading')}</p>
    );
  const summary = isEtl(view.summary) ? view.summary : null;
  const tabs = ['timeline', 'checks', 'log', 'io', 'report'].map(
    (name) => [name, t(`run.${name}` as 'run.log')] as const,
  );
  return (
    <>
      <Head view={view} summary={summary} />
      {view.failure && (
        <section className="card">
          <header>
            <h2>{t('run.failure')}</h2>
          </header>
          <div className="pad">
            <Badge word="failed" /> <b>{view.failure.code}</b>
            <p>{view.failure.message}</p>
          </div>
        </section>
      )}
      {summary && <Ledgers summary={summary} />}
      {isMaintenance(view.summary) && <MaintenanceSummary summary={view.summary} />}
      <Tabs names={tabs} chosen={tab} onChoose={(chosen) => set({ tab: chosen })}>
        {tab === 'timeline' && (
          <Card
            title={t('run.timeline')}
            of={view.status === 'running' ? measured : undefined}
            staleMs={10_000}
          >
            {!summary && view.summaryProblem && (
              <Empty>
                {t('run.noSummary')}: {view.summaryProblem}
              </Empty>
            )}
            <div className="pad">
              <Gantt view={view} steps={summary?.steps ?? []} />
            </div>
            <FailedAttempts runId={view.firstRunId} />
            {summary && summary.tables.length > 0 && <Tables summary={summary} />}
          </Card>
        )}
        {tab === 'checks' && <Checks runId={view.firstRunId} status={view.status} />}
        {tab === 'log' && (
          <LogView
            runId={view.firstRunId}
            following={view.status === 'running'}
            command={(activity) => commands.runLog(workflowId, activity)}
          />
        )}
        {tab === 'io' && (
          <div className="grid">
            <Card title={t('run.input')}>
              <Json label={t('run.input')} value={view.input} />
            </Card>
            <Card title={t('run.result')}>
              <Json label={t('run.result')} value={view.summary} />
            </Card>
          </div>
        )}
        {tab === 'report' && <Report keyOf={summary?.report?.html} workflowId={workflowId} />}
      </Tabs>
    </>
  );
}

function Head({ view, summary }: { readonly view: RunView; readonly summary: EtlSummary | null }) {
  const { t } = useTranslation();
  const now = useNow();
  const { workflowId, runId, status } = view;
  return (
    <>
      <div className="head">
        <h1 className="mono">{workflowId}</h1>
        <Badge word={status === 'completed' ? (summary?.outcome ?? status) : status} />
        <span className="push row">
          {status !== 'running' && <Retry workflowId={workflowId} runId={runId} />}
          {status === 'running' && (
            <Action
              label={t('run.cancelRun')}
              tone="danger"
              confirm={t('run.confirmCancel')}
              command={commands.cancelRun(workflowId)}
              run={() => post(`/api/runs/${encodeURIComponent(workflowId)}/${runId}/cancel`)}
            />
          )}
          <a className="button" href={view.temporalUrl} target="_blank" rel="noreferrer">
            {t('run.temporal')} ↗
          </a>
        </span>
      </div>
      <div className="row dim small">
        <span>{view.flow}</span>
        {view.dataset && <Link href={`/quality/${view.dataset}`}>{view.dataset}</Link>}
        <span>
          {t('common.started')} <Time iso={view.startedAt} ago={false} />
        </span>
        <span>
          {t('common.duration')}{' '}
          {seconds(
            ((view.finishedAt ? Date.parse(view.finishedAt) : now) - Date.parse(view.startedAt)) / 1000,
          )}
        </span>
        {view.logicalTime && (
          <span>
            {t('runs.logical')} <Time iso={view.logicalTime} ago={false} />
          </span>
        )}
        {view.dataset && summary && (
          <Link href={`/lineage${queryOf({ dataset: view.dataset, touched: touchedBy(summary) })}`}>
            {t('nav.lineage')}
          </Link>
        )}
        {view.scheduleId && <Link href={`/flows#${view.scheduleId}`}>{view.scheduleId}</Link>}
      </div>
    </>
  );
}

/** The tables that a run wrote, for the picture of lineage. */
function touchedBy({ tables }: EtlSummary): string {
  return tables
    .filter(({ changed }) => changed)
    .map(({ table }) => table)
    .join(',');
}

function Ledgers({ summary }: { readonly summary: EtlSummary }) {
  return (
    <div className="grid">
      <LedgerFlow layer="bronze" ledger={summary.bronze} />
      <LedgerFlow layer="silver" ledger={summary.silver} />
    </div>
  );
}

function Tables({ summary }: { readonly summary: EtlSummary }) {
  const { t } = useTranslation();
  return (
    <Table
      rows={summary.tables}
      keyOf={({ table }) => table}
      columns={(column) => [
        column(t('run.tables'), ({ table }) => <Link href={`/lake/${table}`}>{table}</Link>),
        column(t('lake.version'), ({ version, changed }) => `${num(version)}${changed ? ' ●' : ''}`, 'n'),
        column(t('common.rows'), ({ rows }) => num(rows), 'n'),
        column(t('lake.files'), ({ files }) => num(files), 'n'),
      ]}
    />
  );
}

function Checks({ runId, status }: { readonly runId: string; readonly status: string }) {
  const { t } = useTranslation();
  const checks = useQuery({
    queryKey: ['records', runId, status],
    queryFn: () => get<{ checks: CheckRow[] }>(`/api/records/${runId}`),
  });
  return (
    <section className="card">
      <Problem error={checks.error} />
      {checks.data?.checks.length === 0 ? (
        <Empty>{t('quality.noChecks')}</Empty>
      ) : (
        <CheckTable checks={checks.data?.checks ?? []} />
      )}
    </section>
  );
}

function Report({ keyOf, workflowId }: { readonly keyOf: string | undefined; readonly workflowId: string }) {
  const { t } = useTranslation();
  if (!keyOf) return <Empty>{t('run.noReport')}</Empty>;
  const href = `/api/reports${queryOf({ key: keyOf })}`;
  return (
    <Card
      title={t('run.report')}
      actions={
        <>
          <a href={href} target="_blank" rel="noreferrer">
            {t('run.openReport')} ↗
          </a>
          <Twin command={commands.runReport(workflowId)} />
        </>
      }
    >
      <iframe className="report" title={t('run.report')} src={href} sandbox="" />
    </Card>
  );
}

function isEtl(summary: unknown): summary is EtlSummary {
  return typeof summary === 'object' && summary !== null && 'bronze' in summary && 'steps' in summary;
}
