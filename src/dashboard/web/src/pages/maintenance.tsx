/** Maintenance: what the lake needs, what was done and saved, and whether backups hold. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { MaintenanceDetail, MaintenanceNow } from '../../../server/shapes/maintenance';
import { get, post, queryOf } from '../api';
import { commands } from '../commands';
import { useFilter } from '../filter';
import { bytes, dateTime, num } from '../format';
import { said } from '../said';
import { Bars } from '../ui/bars';
import { Pager } from '../ui/pager';
import { BackupRuns, Backups } from '../ui/backups';
import { Action, Badge, Card, Empty, Problem, Time, Twin } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Table } from '../ui/table';

type Started = { workflowId: string; runId: string };
const PAGE = 50;

export default function Maintenance() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [filter, set] = useFilter();
  const answer = useQuery({
    queryKey: ['maintenance'],
    queryFn: () => get<Measured<MaintenanceNow>>('/api/maintenance'),
    refetchInterval: 10_000,
  });
  const toRun = (run: Started): void => go(runHref(run));
  const now = answer.data?.value;
  const opened = filter.get('report');
  return (
    <>
      <div className="head">
        <h1>{t('nav.maintenance')}</h1>
        <Twin command={commands.showMaintenance()} />
        <span className="push row">
          <Action
            label={t('maintenance.plan')}
            command={commands.planMaintenance()}
            run={() => post('/api/maintenance/plan', {})}
            after={toRun}
          />
          <Action
            label={t('maintenance.audit')}
            command={commands.auditLake()}
            run={() => post('/api/maintenance/audit', {})}
            after={toRun}
          />
          <Action
            label={t('maintenance.run')}
            tone="primary"
            confirm={t('maintenance.confirmRun')}
            command={commands.runMaintenance()}
            run={() => post('/api/maintenance/run', {})}
            after={toRun}
          />
        </span>
      </div>
      <Problem error={answer.error} />
      {opened ? (
        <Report id={opened} onClose={() => set({ report: '' })} />
      ) : (
        <Card title={t('maintenance.newestPlan')} of={answer.data}>
          {answer.data?.at && !now?.plan && <Empty>{t('maintenance.noPlan')}</Empty>}
          {now?.plan && <Tended report={now.plan} />}
        </Card>
      )}
      <Reports now={now} of={answer.data} onOpen={(id) => set({ report: id })} />
      <div className="grid">
        <Card title={t('maintenance.savings')} of={answer.data}>
          {now?.savings.length === 0 && <Empty>{t('maintenance.noSavings')}</Empty>}
          {now && now.savings.length > 0 && (
            <div className="pad">
              <Bars
                bars={now.savings.slice(-20).map(({ at, freed, expired }) => ({
                  name: dateTime(at),
                  value: Math.max(0, freed),
                  text: `${bytes(Math.max(0, freed))} · ${t('amount.expired', { count: expired })}`,
                }))}
              />
            </div>
          )}
        </Card>
        <BackupRuns now={now} of={answer.data} />
      </div>
      <Backups now={now} of={answer.data} onRun={toRun} />
    </>
  );
}

type Of = Measured<MaintenanceNow> | undefined;

function Reports({
  now,
  of,
  onOpen,
}: {
  readonly now: MaintenanceNow | null | undefined;
  readonly of: Of;
  readonly onOpen: (id: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <Card title={t('maintenance.reports')} of={of}>
      {now?.reports.length === 0 && <Empty>{t('maintenance.noReports')}</Empty>}
      {now && now.reports.length > 0 && (
        <Table
          rows={now.reports}
          keyOf={({ id }) => id}
          columns={(column) => [
            column(
              t('common.when'),
              ({ at, dryRun }) => (
                <>
                  <Time iso={at} />
                  {dryRun && <div className="small dim">{t('maintenance.dryRun')}</div>}
                </>
              ),
              'nowrap',
            ),
            column(t('overview.tables'), ({ tables }) => num(tables), 'n'),
            column(t('maintenance.healthy'), ({ healthy }) => num(healthy), 'n'),
            column(
              t('maintenance.audited'),
              ({ audited: { checks, failed } }) =>
                checks === 0 ? (
                  '–'
                ) : failed > 0 ? (
                  <span className="badge bad">{num(failed)}</span>
                ) : (
                  num(checks)
                ),
              'n',
            ),
            column(t('maintenance.worked'), ({ outcomes, unreadable }) => (
              <>
                {Object.entries(outcomes).map(([outcome, count]) => (
                  <span key={outcome}>
                    <Badge word={outcome} /> {num(count)}{' '}
                  </span>
                ))}
                {unreadable.length > 0 && (
                  <span className="badge bad">{t('amount.unreadable', { count: unreadable.length })}</span>
                )}
              </>
            )),
            column(
              t('maintenance.freed'),
              ({ dryRun, bytesFreed }) => (dryRun ? '–' : bytes(Math.max(0, bytesFreed))),
              'n',
            ),
            {
              kind: 'row',
              cell: ({ id, page }) => (
                <>
                  <button type="button" className="quiet" onClick={() => onOpen(id)}>
                    {t('maintenance.openReport')}
                  </button>
                  {page && (
                    <a href={`/api/reports${queryOf({ key: page })}`} target="_blank" rel="noreferrer">
                      HTML ↗
                    </a>
                  )}
                </>
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}

function Report({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const [offset, setOffset] = useState(0);
  const path = `/api/maintenance/reports/${id}${queryOf({ limit: PAGE, offset })}`;
  const report = useQuery({ queryKey: [path], queryFn: () => get<MaintenanceDetail>(path) });
  const { data } = report;
  return (
    <Card
      title={data ? t('maintenance.ofReport', { at: dateTime(data.at) }) : t('maintenance.openReport')}
      actions={
        <>
          {data && <Link href={runHref(data)}>{t('lake.byRun')}</Link>}
          <button type="button" className="push" onClick={onClose}>
            {t('common.close')}
          </button>
        </>
      }
    >
      <Problem error={report.error} />
      {data && <Tended report={data} />}
      {data && <Pager total={data.total} offset={offset} limit={PAGE} onOffset={setOffset} />}
    </Card>
  );
}

/** The tables of one report with every task: what it was for, and what it did or would do. */
function Tended({ report }: { readonly report: MaintenanceDetail }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="pad row small">
        <span>
          <Time iso={report.at} ago={false} />
        </span>
        <span>
          {t('amount.tables', { count: report.tables })}, {t('amount.healthy', { count: report.healthy })}
        </span>
        {report.left > 0 && <span>{t('amount.left', { count: report.left })}</span>}
        {!report.dryRun && (
          <span>
            {t('maintenance.freed')}: {bytes(Math.max(0, report.bytesFreed))},{' '}
            {t('amount.expired', { count: report.rowsExpired })}
          </span>
        )}
      </div>
      {report.problems.map((problem) => (
        <Problem key={problem} error={new Error(problem)} />
      ))}
      {report.unreadable.map(({ table, reason }) => (
        <Problem key={table} error={new Error(`${table}: ${reason}`)} />
      ))}
      <Advice report={report} />
      {report.tended.length === 0 && report.unreadable.length === 0 && (
        <Empty>{t('maintenance.nothingToDo')}</Empty>
      )}
      {report.tended.length > 0 && (
        <Table
          rows={report.tended.flatMap(({ table, tasks }) =>
            tasks.map((one, index) => ({ ...one, table, isFirst: index === 0 })),
          )}
          keyOf={({ table, task }) => `${table} ${task}`}
          columns={(column) => [
            column(
              t('maintenance.table'),
              ({ table, isFirst }) => isFirst && <Link href={`/lake/${table}`}>{table}</Link>,
            ),
            column(t('maintenance.task'), ({ task }) => said(task)),
            column(t('common.outcome'), ({ outcome }) => <Badge word={outcome} />),
            column(t('lake.files'), ({ files }) => num(files), 'n'),
            column(t('common.size'), ({ bytes: size }) => bytes(size), 'n'),
            column(t('common.detail'), ({ detail }) => said(detail)),
          ]}
        />
      )}
    </>
  );
}

/** What the report recommends, what its audits found, and which tables are asked most. */
function Advice({ report }: { readonly report: MaintenanceDetail }) {
  const { t } = useTranslation();
  const { recommendations, findings, queries } = report;
  return (
    <>
      {recommendations.length > 0 && (
        <Table
          rows={recommendations}
          keyOf={(_, index) => index}
          columns={[
            {
              cell: ({ weight }) => (
                <span className={`badge ${weight === 'act' ? 'bad' : 'info'}`}>
                  {t(weight === 'act' ? 'maintenance.act' : 'maintenance.consider')}
                </span>
              ),
            },
            { cell: ({ subject }) => said(subject) },
            {
              cell: ({ reason, setting, command }) => (
                <>
                  {said(reason)}
                  {setting && <div className="small dim">{said(setting)}</div>}
                  <div className="small mono">{command}</div>
                </>
              ),
            },
          ]}
        />
      )}
      {findings.length > 0 && (
        <Table
          rows={findings}
          keyOf={({ table, name }) => `${table} ${name}`}
          columns={(column) => [
            column(t('maintenance.findings'), ({ table }) => <Link href={`/lake/${table}`}>{table}</Link>),
            column(t('run.check'), ({ name, trend }) => (
              <>
                {name} <span className="small dim">{trend}</span>
              </>
            )),
            column(t('run.severity'), ({ severity }) => <Badge word={severity} />),
            column(t('run.bad'), ({ badRows }) => num(badRows), 'n'),
            column(t('common.detail'), ({ detail }) => said(detail)),
          ]}
        />
      )}
      {queries.length > 0 && (
        <div className="pad">
          <p className="small dim">{t('maintenance.queries')}</p>
          <Bars
            bars={queries.map((one) => ({
              ...{ name: one.table, value: one.queries },
              text: `${num(one.queries)} · ${num(one.seconds, 1)} s`,
            }))}
          />
        </div>
      )}
    </>
  );
}
