/** What the audit of one table works with: its rows and those of the table that it was made from, in one session. */
import type { DatasetDefinition } from '../../../contracts/dataset.js';
import type { AuditKind, AuditResult } from '../../../contracts/audit.js';
import type { MaintenanceRun } from '../../../contracts/lake-maintenance.js';
import { DatalabError } from '../../../contracts/errors.js';
import { identifier } from '../../../contracts/sql-text.js';
import {
  checkoutScan,
  DeltaError,
  ObjectNotFoundError,
  widenSchema,
  type CheckedOutScan,
  type DeltaTable,
  type EngineSession,
  type Snapshot,
} from '../../../delta/index.js';
import { nameOf, type TableName } from '../../../lake/tables.js';
import { bronzeSchema } from '../../../medallion/schema.js';
import { consumerTransaction } from '../../../medallion/transactions.js';
import type { StepContext } from '../../step.js';
import type { LakeTables } from '../../tables.js';
import type { MaintenanceDeps } from '../deps.js';

/** One table at one version. */
export interface Side {
  readonly name: TableName;
  readonly table: DeltaTable;
  readonly snapshot: Snapshot;
}

export interface AuditGround {
  readonly deps: MaintenanceDeps;
  readonly tables: LakeTables;
  readonly run: MaintenanceRun;
  readonly dataset: DatasetDefinition;
  readonly own: Side;
  /** The table that it was made from, as it was then where that can still be read; null for Bronze and quarantine. */
  readonly upstream: Side | null;
  /** Both are views in it, named `layer.table`. */
  readonly session: EngineSession;
  readonly context: StepContext;
}

/** What is found before it is held against the last audit. */
export type Found = Omit<AuditResult, 'trend' | 'before'>;

/** Bad rows that a result shows. */
export const EXAMPLES_MAX = 5;

export const viewOf = ({ name: { layer, table } }: Side): string =>
  `${identifier(layer)}.${identifier(table)}`;

/** Opens the session, runs `body` in it, and gives everything back. */
export async function withGround<Value>(
  given: Omit<AuditGround, 'session' | 'upstream'>,
  body: (ground: AuditGround) => Promise<Value>,
): Promise<Value> {
  const { deps, own, context } = given;
  const scans: CheckedOutScan[] = [];
  try {
    const { signal } = context;
    scans.push(await checkoutScan(own.table.store, own.snapshot, { signal }));
    let upstream = await upstreamOf(given);
    if (upstream) {
      const scan = await checkoutScan(upstream.table.store, upstream.snapshot, { signal }).catch(absent);
      if (scan) scans.push(scan);
      else upstream = null;
    }
    const sides = [own, ...(upstream ? [upstream] : [])];
    const session = await deps.engine.open({
      inputs: scans.flatMap(({ inputs }) => inputs),
      signal: context.signal,
    });
    try {
      for (const [index, side] of sides.entries()) {
        const plan = scans[index]?.plan;
        if (!plan) continue;
        // A column that was declared after Bronze was made is NULL in the rows that came before.
        const schema = side.name.layer === 'bronze' ? widened(plan.schema, given.dataset, side) : plan.schema;
        await session.run(
          `CREATE SCHEMA IF NOT EXISTS ${identifier(side.name.layer)}; ` +
            `CREATE VIEW ${viewOf(side)} AS SELECT * FROM ${deps.engine.relation({ ...plan, schema })}`,
        );
      }
      return await body({ ...given, upstream, session });
    } finally {
      await session.close();
    }
  } finally {
    for (const scan of scans) scan.release();
  }
}

/** A table that lost a file is told by itself; those that are made from it can still be read. */
function absent(error: unknown): undefined {
  if (!(error instanceof ObjectNotFoundError)) throw error;
}

/** A retyped column is what the check of the schema says; here it must not end the audit. */
function widened(schema: Snapshot['schema'], dataset: DatasetDefinition, side: Side): Snapshot['schema'] {
  try {
    return widenSchema(schema, bronzeSchema(dataset), nameOf(side.name));
  } catch (error) {
    if (error instanceof DeltaError) return schema;
    throw error;
  }
}

async function upstreamOf({
  tables,
  dataset,
  own,
}: Omit<AuditGround, 'session' | 'upstream'>): Promise<Side | null> {
  const layer = own.name.layer === 'silver' ? 'bronze' : own.name.layer === 'gold' ? 'silver' : null;
  if (layer === null) return null;
  const name: TableName = { layer, table: dataset.name };
  const table = tables.table(layer, dataset.name);
  const newest = await table.snapshotIfExists();
  if (!newest) return null;
  const consumer = consumerTransaction(nameOf(own.name), newest.metadata.id);
  const consumed = own.snapshot.transaction(consumer)?.version;
  // Retention takes rows out of Bronze without news: its newest version says best what may be expected of it.
  if (layer === 'bronze' || consumed === undefined || consumed >= newest.version)
    return { name, table, snapshot: newest };
  try {
    const snapshot = await table.snapshot({ version: consumed });
    return { name, table, snapshot };
  } catch (error) {
    if (error instanceof DeltaError && error.code === 'DELTA_VERSION_NOT_FOUND')
      return { name, table, snapshot: newest };
    throw error;
  }
}

/** A result of a check that counts bad things; none is allowed. */
export function counted(
  name: string,
  kind: AuditKind,
  {
    rows,
    bad,
    detail,
    severity = 'block',
    unit = 'rows',
    examples = [],
  }: {
    readonly rows: number;
    readonly bad: number;
    readonly detail: string;
    readonly severity?: Found['severity'];
    readonly unit?: Found['unit'];
    readonly examples?: Found['examples'];
  },
): Found {
  return {
    ...{ name, kind, severity, outcome: bad === 0 ? 'passed' : 'failed' },
    ...{ measured: bad, threshold: 0, unit, rows, badRows: bad },
    ...{ share: rows === 0 ? (bad === 0 ? 1 : 0) : Math.max(0, 1 - bad / rows), observed: null },
    ...{ detail, examples: examples.slice(0, EXAMPLES_MAX) },
  };
}

/** A check that could not say anything, and why. */
export function unsaid(name: string, kind: AuditKind, detail: string): Found {
  return {
    ...{ name, kind, severity: 'warn', outcome: 'skipped', measured: null, threshold: null, unit: 'rows' },
    ...{ rows: 0, badRows: 0, share: 1, observed: null, detail, examples: [] },
  };
}

/** Runs one part of the audit. What the engine or a missing file makes impossible is said, and ends no other part. */
export async function attempt(
  name: string,
  kind: AuditKind,
  { context }: Pick<AuditGround, 'context'>,
  body: () => Promise<Found[]>,
): Promise<Found[]> {
  try {
    return await body();
  } catch (error) {
    context.signal.throwIfAborted();
    const telling =
      error instanceof ObjectNotFoundError ||
      error instanceof DeltaError ||
      (error instanceof DatalabError && error.code.startsWith('ENGINE_SQL'));
    if (!telling) throw error;
    const detail = `could not be measured: ${error.message}`.slice(0, 500);
    return [{ ...unsaid(name, kind, detail), outcome: 'failed', share: 0 }];
  }
}

/** Cells of example rows as JSON can hold them. */
export function exampleOf(row: Readonly<Record<string, unknown>>): Found['examples'][number] {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [
      key,
      value === null || typeof value === 'boolean' || typeof value === 'number'
        ? value
        : String(value).slice(0, 600),
    ]),
  );
}

/** The number that a statement gives under the name `n`. */
export async function numberOf(session: EngineSession, sql: string): Promise<number> {
  const [row] = await session.rows<{ n: bigint }>(sql);
  return Number(row?.n ?? 0n);
}
