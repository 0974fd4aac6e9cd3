/** Sums over the tables of one run, after the work. Pure. */
import type { LakeTotals, MaintenanceReport } from '../../contracts/maintenance-report.js';

export function totalsOf({
  facts,
  tended,
  audits,
  usage,
}: Pick<MaintenanceReport, 'facts' | 'tended' | 'audits' | 'usage'>): LakeTotals {
  const total = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
    items.reduce((sum, item) => sum + of(item), 0);
  const results = audits.flatMap((audit) => audit.results);
  const scores = audits.flatMap(({ score }) => (score === null ? [] : [score]));
  const tasks = tended.flatMap((one) => one.tasks);
  return {
    tables: facts.length,
    rows: total(usage.tables, ({ rows }) => rows),
    files: total(usage.tables, ({ files }) => files),
    bytes: total(usage.tables, ({ bytes }) => bytes),
    folderBytes: total(usage.tables, ({ folderBytes }) => folderBytes),
    freedBytes: total(tended, ({ before, after }) => Math.max(0, before.folderBytes - after.folderBytes)),
    rowsExpired: total(tasks, ({ task, outcome, rows }) =>
      task === 'retention' && outcome === 'done' ? rows : 0,
    ),
    damaged: facts.filter(({ fsck }) => fsck.damaged > 0).length,
    orphans: {
      files: total(facts, ({ fsck }) => fsck.orphans.files),
      bytes: total(facts, ({ fsck }) => fsck.orphans.bytes),
    },
    checks: results.filter(({ outcome }) => outcome !== 'skipped').length,
    failedChecks: results.filter(({ outcome }) => outcome === 'failed').length,
    score: scores.length === 0 ? null : total(scores, (score) => score) / scores.length,
  };
}
