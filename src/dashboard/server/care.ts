/** Maintenance as its reports in the lake tell it, what each of them freed, and the backups. */
import type { TableTended } from '../../contracts/lake-maintenance.js';
import type { MaintenanceReport } from '../../contracts/maintenance-report.js';
import { DatalabError } from '../../contracts/errors.js';
import { mapLimited } from '../../delta/index.js';
import { backupsNow } from './backups.js';
import type { DashboardDeps } from './deps.js';
import type { MaintenanceDetail, MaintenanceNow, MaintenanceReportRow } from './shapes/maintenance.js';

const PREFIX = 'reports/maintenance/';
const REPORTS_SHOWN = 20;
const PLAN_TABLES = 50;
const FINDINGS_SHOWN = 100;
const QUERIES_SHOWN = 20;
const GRAVITY = ['block', 'quarantine', 'warn'];

/** What an older worker left out of its report counts as none. */
type Added = 'audits' | 'recommendations' | 'usage' | 'totals';
type StoredReport = Omit<MaintenanceReport, Added> & Partial<Pick<MaintenanceReport, Added>>;

/** A report never changes: its row is kept, the report is read again when somebody opens it. */
const ROWS = new Map<string, MaintenanceReportRow>();

export async function maintenanceNow(deps: DashboardDeps): Promise<MaintenanceNow> {
  const { ids, pages } = await listed(deps);
  const newest = ids.slice(-REPORTS_SHOWN).reverse();
  const [reports, backup] = await Promise.all([
    mapLimited(newest, 4, (id) => rowFor(deps, id, pages)),
    backupsNow(deps),
  ]);
  const savings = reports
    .filter(({ dryRun }) => !dryRun)
    .map(({ id, at, bytesFreed, rowsExpired }) => ({ id, at, freed: bytesFreed, expired: rowsExpired }))
    .reverse();
  const planned = reports.find(({ dryRun }) => dryRun);
  const plan = planned ? await maintenanceDetail(deps, planned.id, { limit: PLAN_TABLES, offset: 0 }) : null;
  return { reports, plan, savings, backup };
}

/** One report with a page of its tables, those that most was done to first. Throws REPORT_MISSING. */
export async function maintenanceDetail(
  deps: DashboardDeps,
  id: string,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<MaintenanceDetail> {
  const { pages } = await listed(deps);
  const report = await readReport(deps, id);
  const tended = report.tended.map(({ table, outcome, before, after, tasks }) => ({
    ...{ table, outcome, tasks },
    ...{ filesBefore: before.folderFiles, filesAfter: after.folderFiles },
    ...{ bytesBefore: before.folderBytes, bytesAfter: after.folderBytes },
  }));
  return {
    ...rowOf(id, report, pages),
    total: tended.length,
    tended: tended.slice(offset, offset + limit),
    findings: findingsOf(report),
    queries: (report.usage?.queries ?? []).slice(0, QUERIES_SHOWN),
  };
}

function findingsOf({ audits = [] }: StoredReport): MaintenanceDetail['findings'] {
  return audits
    .flatMap(({ table, results }) =>
      results
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ name, severity, trend, badRows, detail }) => ({
          ...{ table, name, severity, trend, badRows, detail },
        })),
    )
    .sort((a, b) => GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity))
    .slice(0, FINDINGS_SHOWN);
}

async function listed({ lake }: DashboardDeps): Promise<{ ids: string[]; pages: ReadonlySet<string> }> {
  const ids: string[] = [];
  const pages = new Set<string>();
  for await (const { key } of lake.store.list(PREFIX)) {
    if (key.endsWith('.json')) ids.push(key.slice(PREFIX.length, -'.json'.length));
    if (key.endsWith('.html')) pages.add(key);
  }
  return { ids, pages };
}

async function rowFor(
  deps: DashboardDeps,
  id: string,
  pages: ReadonlySet<string>,
): Promise<MaintenanceReportRow> {
  const row = ROWS.get(id) ?? rowOf(id, await readReport(deps, id), pages);
  ROWS.set(id, row);
  return row;
}

async function readReport({ lake }: DashboardDeps, id: string): Promise<StoredReport> {
  try {
    return JSON.parse(Buffer.from(await lake.store.get(`${PREFIX}${id}.json`)).toString()) as StoredReport;
  } catch (error) {
    if ((error as Error).name !== 'ObjectNotFoundError') throw error;
    throw new DatalabError('REPORT_MISSING', `there is no report of maintenance '${id}'`, { cause: error });
  }
}

function rowOf(id: string, report: StoredReport, pages: ReadonlySet<string>): MaintenanceReportRow {
  const { run, startedAt, finishedAt, ending, facts, unreadable, tended } = report;
  const { audits = [], recommendations = [] } = report;
  const results = audits.flatMap((one) => one.results);
  const outcomes: Record<string, number> = {};
  for (const { outcome } of tended) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const sum = (figure: (one: TableTended) => number): number =>
    tended.reduce((total, one) => total + figure(one), 0);
  const page = `${PREFIX}${id}.html`;
  return {
    ...{ id, workflowId: run.workflowId, runId: run.runId, at: run.at, startedAt, finishedAt },
    ...{ dryRun: run.dryRun, tables: facts.length + unreadable.length, outcomes },
    ...{ healthy: ending.healthy, left: ending.left, unreadable: unreadable.slice(0, 50) },
    rowsExpired: sum(({ tasks }) => tasks.reduce((rows, one) => rows + one.rows, 0)),
    bytesFreed:
      report.totals?.freedBytes ?? sum(({ before, after }) => before.folderBytes - after.folderBytes),
    filesGone: sum(({ before, after }) => before.folderFiles - after.folderFiles),
    problems: ending.problems,
    page: pages.has(page) ? page : null,
    audited: {
      ...{ tables: audits.length, checks: results.length },
      failed: results.filter(({ outcome }) => outcome === 'failed').length,
    },
    recommendations: recommendations.slice(0, 30),
  };
}
