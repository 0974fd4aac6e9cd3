/** The audit of one published table: everything that it is held against, the score, and the trend since the last time. */
import type { AuditResult, AuditTrend, TableAudit } from '../../../contracts/audit.js';
import type { MaintenanceRun } from '../../../contracts/lake-maintenance.js';
import type { DatasetDefinition } from '../../../contracts/dataset.js';
import { nameOf, type TableName } from '../../../lake/tables.js';
import { scoreOf } from '../../../quality/index.js';
import type { StepContext } from '../../step.js';
import { rowCount, type LakeTables } from '../../tables.js';
import type { MaintenanceDeps } from '../deps.js';
import { declaredChecks } from './declared.js';
import { attempt, withGround, type AuditGround, type Found } from './ground.js';
import { ledgerCheck } from './ledger.js';
import { previousAudit, type PreviousAudit } from './previous.js';
import { referenceChecks } from './references.js';
import { keyCheck, rowsCheck, ruleChecks, schemaCheck, statisticsCheck } from './structure.js';

export { lastAudits } from './previous.js';

/** Reads one version of the table, whatever is written meanwhile. Changes nothing. */
export async function auditTable(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  dataset: DatasetDefinition,
  name: TableName,
  context: StepContext,
): Promise<TableAudit> {
  const table = tables.table(name.layer, name.table);
  const snapshot = await table.snapshot();
  const previous = await previousAudit(deps, tables, nameOf(name), context.signal);
  const given = { deps, tables, run, dataset, own: { name, table, snapshot }, context };
  const found = await withGround(given, (ground) => everything(ground, previous));
  const results = found.map((one) => withTrend(one, previous));
  return {
    ...{ table: nameOf(name), dataset: dataset.name, version: snapshot.version, rows: rowCount(snapshot) },
    auditedAt: new Date(deps.clock.nowMs()).toISOString(),
    ...{ score: scoreOf(results), scoreBefore: previous.score, results },
  };
}

async function everything(ground: AuditGround, previous: PreviousAudit): Promise<Found[]> {
  const { layer } = ground.own.name;
  const parts: ReadonlyArray<readonly [string, Found['kind'], () => Promise<Found[]>]> = [
    ...(layer === 'bronze'
      ? [['declared_checks', 'sql', () => declaredChecks(ground, previous)] as const]
      : []),
    ['declared_columns', 'table_schema', () => schemaCheck(ground)],
    ['counted_rows', 'rows', () => rowsCheck(ground)],
    ['statistics', 'statistics', () => statisticsCheck(ground)],
    ['key', 'key', () => keyCheck(ground)],
    ...(layer === 'silver' ? [['rules', 'rule', () => ruleChecks(ground)] as const] : []),
    ['origin', 'reference', () => referenceChecks(ground)],
    ['ledger', 'ledger', () => ledgerCheck(ground, previous)],
  ];
  const found: Found[] = [];
  for (const [index, [name, kind, body]] of parts.entries()) {
    ground.context.signal.throwIfAborted();
    ground.context.progress({ phase: `audit ${name}`, done: index, total: parts.length, unit: 'parts' });
    found.push(...(await attempt(name, kind, ground, body)));
  }
  return found;
}

function withTrend(found: Found, previous: PreviousAudit): AuditResult {
  const before = previous.results.get(found.name) ?? null;
  return { ...found, before, trend: trendOf(found, before) };
}

/** See {@link AuditTrend}. */
export function trendOf(
  { outcome, badRows }: Pick<AuditResult, 'outcome' | 'badRows'>,
  before: Pick<AuditResult, 'outcome' | 'badRows'> | null,
): AuditTrend {
  if (before === null) return 'first';
  if (outcome !== 'failed') return before.outcome === 'failed' && outcome === 'passed' ? 'resolved' : 'same';
  if (before.outcome !== 'failed') return 'new';
  return badRows > before.badRows ? 'worse' : badRows < before.badRows ? 'better' : 'same';
}
