/**
 * Sends what the tables know and Kafka has not seen. The events follow from the commits alone; how far each table was
 * sent is a transaction of `meta.relay`, moved forward only after the broker's acknowledgement. A crash in between
 * sends some events again, with the same ids; nothing is skipped.
 */
import type { Relayed } from '../contracts/activities.js';
import { DatalabError } from '../contracts/errors.js';
import type { EventEnvelope, EventSink } from '../contracts/events.js';
import type { LineageEvent } from '../contracts/lineage.js';
import type { Layer, RunRef } from '../contracts/run.js';
import { createTableActions, mapLimited, type Action, type DeltaTable } from '../delta/index.js';
import { eventOf, lineageOf, type RoutedEvent } from '../medallion/commit-note.js';
import { relayTransaction } from '../medallion/transactions.js';
import { checkpointIfDue } from './checkpoint.js';
import type { ActivityDeps } from './deps.js';
import { runStep } from './step.js';
import type { LakeTables } from './tables.js';

/** Versions between two movements of the cursors; also what one crash may send again. */
const SLICE = 100;
/** What one run sends at most; the next goes on. */
const PER_RUN_MAX = 5000;
const PARALLEL_READS = 16;

/** One version that may hold an event. */
interface Unsent {
  readonly name: string;
  readonly tableId: string;
  readonly table: DeltaTable;
  readonly version: number;
}

export async function relayEvents(deps: ActivityDeps, tables: LakeTables, run: RunRef): Promise<Relayed> {
  const { step, value } = await runStep('relay', deps.scratchDirectory, async () => {
    const { sent, pending, problem } = await relayTables(deps, tables, await watchedBy(deps, run));
    const why = problem ?? (pending > 0 ? 'the next run goes on' : undefined);
    const detail = `${sent} sent${why === undefined ? '' : `, ${pending} pending: ${why}`}`;
    return {
      ...(problem !== undefined && { outcome: 'skipped' as const }),
      rows: sent,
      bytes: 0,
      detail,
      value: { sent, pending, detail: why ?? '' },
    };
  });
  return { step, ...value };
}

type Watched = ReadonlyArray<readonly [Layer, string]>;

/** Sends what these tables know and Kafka has not seen, as far as one run may; says what is left, and why. */
export async function relayTables(
  deps: ActivityDeps,
  tables: LakeTables,
  watched: Watched,
): Promise<{
  readonly sent: number;
  readonly pending: number;
  /** When the oldest commit that is still unsent was made, in milliseconds; null where nothing is. */
  readonly oldestMs: number | null;
  readonly problem?: string;
}> {
  const unsent = await findUnsent(tables, watched);
  const { sent, told, problem } = await send(deps, tables, unsent.slice(0, PER_RUN_MAX));
  const left = unsent.slice(told);
  const oldestMs = await oldestOf(left);
  return { sent, pending: left.length, oldestMs, ...(problem !== undefined && { problem }) };
}

/** The first unsent version of each table is the oldest one. */
async function oldestOf(unsent: readonly Unsent[]): Promise<number | null> {
  const first = new Map(unsent.toReversed().map((one) => [one.name, one]));
  const times = await mapLimited(
    [...first.values()],
    PARALLEL_READS,
    async ({ table, version }) => (await table.commitInfo(version)).timestamp,
  );
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

/** The tables that a run of the dataset may have something to tell of. */
export async function watchedBy(deps: ActivityDeps, { dataset }: Pick<RunRef, 'dataset'>): Promise<Watched> {
  // A dataset that cannot be loaded has no tables to look through, but its failed run is still told.
  const gold = await deps.loadDataset(dataset).then(
    (dataset) => dataset.gold.map(({ table }) => ['gold', table] as const),
    () => [],
  );
  return [
    ['bronze', dataset],
    ['silver', dataset],
    ...gold,
    ['meta', 'runs'],
    ['meta', 'maintenance'],
    ['meta', 'backfills'],
  ];
}

/** The versions after each table's cursor, oldest first within a table. */
async function findUnsent(tables: LakeTables, watched: Watched): Promise<Unsent[]> {
  const cursors = await tables.table('meta', 'relay').snapshotIfExists();
  const found = await mapLimited(watched, PARALLEL_READS, async ([layer, tableName]): Promise<Unsent[]> => {
    const table = tables.table(layer, tableName);
    const name = `${layer}.${tableName}`;
    const snapshot = await table.snapshotIfExists();
    if (!snapshot) return [];
    const from = (cursors?.transaction(relayTransaction(name, snapshot.metadata.id))?.version ?? -1) + 1;
    return Array.from({ length: Math.max(0, snapshot.version - from + 1) }, (_, index) => ({
      name,
      tableId: snapshot.metadata.id,
      table,
      version: from + index,
    }));
  });
  return found.flat();
}

/** Sends slice by slice. `told` counts the versions that need no telling any more, `sent` their events. */
async function send(
  deps: ActivityDeps,
  tables: LakeTables,
  unsent: readonly Unsent[],
): Promise<{ sent: number; told: number; problem?: string }> {
  let sent = 0;
  for (let told = 0; told < unsent.length; told += SLICE) {
    if (!deps.events) return { sent, told, problem: 'Kafka is switched off' };
    const slice = unsent.slice(told, told + SLICE);
    const known = await mapLimited(slice, PARALLEL_READS, ofVersion);
    const events = known.flatMap(({ event }) => (event === undefined ? [] : [event]));
    const problem = await trySend(
      deps.events,
      deps,
      events,
      known.flatMap(({ lineage }) => lineage),
    );
    if (problem !== undefined) return { sent, told, problem };
    await advance(deps, tables, slice);
    await checkpointIfDue(deps, tables.table('meta', 'relay'));
    sent += events.length;
  }
  return { sent, told: unsent.length };
}

/** What one version has to tell. */
async function ofVersion({ name, tableId, table, version }: Unsent): Promise<{
  readonly event: RoutedEvent | undefined;
  readonly lineage: readonly LineageEvent[];
}> {
  const info = await table.commitInfo(version);
  const described = { name, id: tableId, uri: table.store.uri };
  return { event: eventOf(described, version, info), lineage: lineageOf(described, version, info) };
}

/** The reason why it was not sent, or undefined when all of it was. */
async function trySend(
  sink: EventSink,
  deps: ActivityDeps,
  events: readonly RoutedEvent[],
  lineage: readonly LineageEvent[],
): Promise<string | undefined> {
  const byTopic = new Map<string, EventEnvelope<unknown>[]>();
  for (const { topic, event } of events) {
    const name = deps.config.kafka.topics[topic];
    byTopic.set(name, [...(byTopic.get(name) ?? []), event]);
  }
  try {
    for (const [topic, batch] of byTopic) await sink.send(topic, batch);
    await sink.sendLineage(deps.config.kafka.topics.lineage, lineage);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatalabError) || error.code !== 'EVENTS_UNAVAILABLE') throw error;
    deps.log({ code: error.code, events: events.length }, error.message, 'warn');
    return error.message;
  }
}

/**
 * Moves the cursors to the end of the slice. Another relay may have sent the same or more in the meantime: a cursor
 * never goes back, and after a conflict those that still lag are moved once more. What then lags is sent again.
 */
async function advance(deps: ActivityDeps, tables: LakeTables, slice: readonly Unsent[]): Promise<void> {
  const table = tables.table('meta', 'relay');
  const ends = new Map(slice.map(({ name, tableId, version }) => [relayTransaction(name, tableId), version]));
  for (let attempt = 1; attempt <= 2; attempt++) {
    const base = await table.snapshotIfExists();
    const lastUpdated = deps.clock.nowMs();
    const moved = [...ends].flatMap(([appId, version]): Action[] => {
      if (version <= (base?.transaction(appId)?.version ?? -1)) return [];
      return [{ txn: { appId, version, lastUpdated } }];
    });
    if (moved.length === 0) return;
    const { clock, newId } = deps;
    const created = base
      ? []
      : createTableActions({ schema: RELAY_SCHEMA, partitionColumns: [], configuration: {}, clock, newId });
    const result = await table.commit({
      base,
      actions: [...created, ...moved],
      operation: 'RELAY EVENTS',
      read: 'nothing',
    });
    if (result.status === 'committed') return;
  }
}

/** The table never has rows: its transactions are its content. */
const RELAY_SCHEMA = {
  type: 'struct',
  fields: [{ name: 'table', type: 'string', nullable: true, metadata: {} }],
} as const;
