/** What a person should do, with the reason and the command: from the report's own figures. Pure. */
import type { AuditResult, TableAudit } from '../contracts/audit.js';
import type { TableFacts, TableTended } from '../contracts/lake-maintenance.js';
import type { MaintenanceReport, Recommendation, TableUsage } from '../contracts/maintenance-report.js';

export type Advised = Pick<
  MaintenanceReport,
  'run' | 'facts' | 'unreadable' | 'tended' | 'left' | 'audits' | 'usage' | 'backup' | 'ending'
>;

const GIB = 2 ** 30;
/** A table that doubles within so many days is worth a thought about its retention. */
const DOUBLES_DAYS = 90;
const LARGE_BYTES = GIB;

/** What is wrong before what could be better. */
export function adviceOn(report: Advised): Recommendation[] {
  const { run, facts, unreadable, tended, audits, usage } = report;
  const all = [
    ...unreadable.map(({ table, reason }) =>
      act(table, `it cannot be read: ${reason}`, `datalab tables fsck ${table}`),
    ),
    ...facts.flatMap((one) => damage(one, tended)),
    ...tended.flatMap(work),
    ...audits.flatMap(quality),
    ...backups(report),
    ...unfinished(report),
    ...growth(facts, usage.tables),
    ...(run.dryRun && tended.some(({ tasks }) => tasks.some(({ outcome }) => outcome === 'planned'))
      ? [consider('maintenance', 'this was a dry run: nothing was done', 'datalab maintenance run --wait')]
      : []),
  ];
  return [...all.filter(({ weight }) => weight === 'act'), ...all.filter(({ weight }) => weight !== 'act')];
}

function act(subject: string, reason: string, command: string): Recommendation {
  return { weight: 'act', subject, reason: reason.slice(0, 500), command };
}

function consider(subject: string, reason: string, command: string, setting?: string): Recommendation {
  return { ...act(subject, reason, command), weight: 'consider', ...(setting !== undefined && { setting }) };
}

const NAMED_MAX = 5;

/** What the time budgets left. */
function unfinished({ left = [] }: Advised): Recommendation[] {
  if (left.length === 0) return [];
  const more = left.length > NAMED_MAX ? ` and ${left.length - NAMED_MAX} more` : '';
  return [
    consider(
      'maintenance',
      `the time was over before these were done: ${left.slice(0, NAMED_MAX).join(', ')}${more}`,
      'datalab maintenance run --wait',
      'where that is so every week, set a larger maintenance.budgetMinutes or maintenance.tableMinutes in datalab.yaml',
    ),
  ];
}

function damage({ table, fsck }: TableFacts, tended: readonly TableTended[]): Recommendation[] {
  if (fsck.damaged === 0) return [];
  const mended = tended
    .find((one) => one.table === table)
    ?.tasks.some(({ task, outcome }) => task === 'repair' && (outcome === 'done' || outcome === 'nothing'));
  if (mended) return [];
  const first = fsck.findings[0];
  const why = `${fsck.damaged} files that its log names are missing or cut short${first ? `, as ${first.path}` : ''}`;
  return [
    fsck.hollow
      ? act(table, `${why}: nothing of it is there`, `datalab backup restore --table ${table}`)
      : act(table, why, `datalab maintenance fsck --repair --table ${table} --wait`),
  ];
}

function work({ table, tasks }: TableTended): Recommendation[] {
  return tasks.flatMap(({ task, outcome, detail }) => {
    const again = `datalab maintenance run --table ${table} --wait`;
    if (outcome === 'failed') return [act(table, `${task} failed: ${detail}`, again)];
    if (outcome === 'aside') return [consider(table, `${task} stepped aside: ${detail}`, again)];
    if (outcome === 'kept' && task === 'retention') {
      const dataset = table.split('.')[1] ?? '';
      return [
        consider(table, `rows past their time stay: ${detail}`, `datalab runs start ${dataset} --wait`),
      ];
    }
    if (outcome === 'kept' && task === 'vacuum') return [consider(table, detail, 'datalab backup create')];
    return [];
  });
}

function quality({ table, dataset, results }: TableAudit): Recommendation[] {
  return results
    .filter(({ outcome }) => outcome === 'failed')
    .map((result) => {
      const text = `${result.name}: ${result.detail}${result.trend === 'first' ? '' : ` (${result.trend})`}`;
      const command = remedyOf(result, table, dataset);
      return result.severity === 'block' ? act(table, text, command) : consider(table, text, command);
    });
}

function remedyOf({ kind }: AuditResult, table: string, dataset: string): string {
  const [layer] = table.split('.');
  switch (kind) {
    case 'statistics':
    case 'rows':
      return `datalab tables fsck ${table} --statistics --repair`;
    case 'freshness':
      return `datalab runs start ${dataset} --wait`;
    case 'key':
    case 'rule':
    case 'reference':
    case 'ledger':
    case 'table_schema':
      return layer === 'silver' || layer === 'gold'
        ? `datalab runs start ${dataset} --rebuild --wait`
        : `datalab tables history ${table}`;
    default:
      return `datalab maintenance audit --dataset ${dataset} --wait`;
  }
}

function backups({ backup, ending, run }: Advised): Recommendation[] {
  if (run.only !== undefined || run.dryRun || run.tables !== null || run.datasets !== undefined) return [];
  if (!backup.configured)
    return [
      consider(
        'backup',
        'no place for backups is configured: a lost disk is a lost lake',
        'datalab backup create',
        'set maintenance.backup.uri in datalab.yaml',
      ),
    ];
  const failed = ending.problems.filter((problem) => problem.startsWith('backup '));
  return failed.map((problem) =>
    act(
      'backup',
      problem,
      problem.startsWith('backup drill') ? 'datalab backup verify' : 'datalab backup create',
    ),
  );
}

function growth(facts: readonly TableFacts[], usage: readonly TableUsage[]): Recommendation[] {
  const kept = new Set(facts.filter(({ retention }) => retention === null).map(({ table }) => table));
  return usage.flatMap(({ table, layer, bytes, bytesPerDay }) => {
    if (layer === 'meta' || bytes < LARGE_BYTES || !kept.has(table) || !bytesPerDay || bytesPerDay <= 0)
      return [];
    const days = bytes / bytesPerDay;
    if (days > DOUBLES_DAYS) return [];
    return [
      consider(
        table,
        `it keeps every row and doubles in ${Math.ceil(days)} days at this pace`,
        `datalab maintenance plan --table ${table}`,
        'give it a retention in its dataset.yaml (docs/maintenance.md); the plan then says what would go',
      ),
    ];
  });
}
