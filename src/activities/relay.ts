/**
 * Sends what the tables know and Kafka has not seen. The events follow from the commits alone; how far each table was
 * sent is a transaction of `meta.relay`, moved forward only after the broker's acknowledgement. A crash in between
 * sends some events again, with the same ids; nothing is skipped.
 */
import type { Relayed } from '../contracts/activities.js';
import { DatalabError } from '../contracts/errors.js';
import type { EventEnvelope, EventSink } from '../contracts/events.js';
import type { Layer, RunRef } from '../contracts/run.js';
import { createTableActions, type Action } from '../delta/index.js';
import { eventOf, type RoutedEvent } from '../medallion/commit-note.js';
import { relayTransaction } from '../medallion/transactions.js';
import type { ActivityDeps } from './deps.js';
import { runStep } from './step.js';
import type { LakeTables } from './tables.js';

interface Backlog {
  readonly table: string;
  readonly version: number;
  readonly events: readonly RoutedEvent[];
}

export async function relayEvents(deps: ActivityDeps, tables: LakeTables, run: RunRef): Promise<Relayed> {
  const { step, value } = await runStep('relay', deps.scratchDirectory, async () => {
    const backlogs = await findBacklogs(deps, tables, run);
    const events = backlogs.flatMap((backlog) => backlog.events);
    if (backlogs.length === 0)
      return { rows: 0, bytes: 0, detail: 'nothing to send', value: { sent: 0, pending: 0 } };
    const problem = deps.events ? await trySend(deps.events, deps, events) : 'Kafka is switched off';
    if (problem !== undefined) {
      const detail = `${events.length} pending: ${problem}`;
      return { outcome: 'skipped', rows: 0, bytes: 0, detail, value: { sent: 0, pending: events.length } };
    }
    await advance(deps, tables, backlogs);
    return {
      rows: events.length,
      bytes: 0,
      detail: `${events.length} sent`,
      value: { sent: events.length, pending: 0 },
    };
  });
  return { step, ...value, detail: value.pending > 0 ? step.detail : '' };
}

async function findBacklogs(deps: ActivityDeps, tables: LakeTables, run: RunRef): Promise<Backlog[]> {
  // A dataset that cannot be loaded has no tables to look through, but its failed run is still told.
  const gold = await deps.loadDataset(run.dataset).then(
    (dataset) => dataset.gold.map(({ table }) => ['gold', table] as const),
    () => [],
  );
  const watched: ReadonlyArray<readonly [Layer, string]> = [
    ['bronze', run.dataset],
    ['silver', run.dataset],
    ...gold,
    ['meta', 'runs'],
  ];
  const relay = await tables.table('meta', 'relay').snapshotIfExists();
  const found = await Promise.all(
    watched.map(async ([layer, name]): Promise<Backlog | undefined> => {
      const table = tables.table(layer, name);
      const snapshot = await table.snapshotIfExists();
      if (!snapshot) return undefined;
      const key = `${layer}.${name}`;
      const from = (relay?.transaction(relayTransaction(key))?.version ?? -1) + 1;
      if (from > snapshot.version) return undefined;
      const described = { name: key, id: snapshot.metadata.id, uri: tables.store(layer, name).uri };
      const events = await Promise.all(
        Array.from({ length: snapshot.version - from + 1 }, async (_, index) =>
          eventOf(described, from + index, await table.commitInfo(from + index)),
        ),
      );
      return { table: key, version: snapshot.version, events: events.filter((event) => event !== undefined) };
    }),
  );
  return found.filter((backlog) => backlog !== undefined);
}

/** The reason why nothing was sent, or undefined when all of it was. */
async function trySend(
  sink: EventSink,
  deps: ActivityDeps,
  events: readonly RoutedEvent[],
): Promise<string | undefined> {
  const byTopic = new Map<string, EventEnvelope<unknown>[]>();
  for (const { topic, event } of events) {
    const name = deps.config.kafka.topics[topic];
    byTopic.set(name, [...(byTopic.get(name) ?? []), event]);
  }
  try {
    for (const [topic, batch] of byTopic) await sink.send(topic, batch);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatalabError) || error.code !== 'EVENTS_UNAVAILABLE') throw error;
    deps.log({ code: error.code, events: events.length }, error.message);
    return error.message;
  }
}

/** A conflict means that another relay sent the same events; its ids are ours, so nothing more is to do. */
async function advance(deps: ActivityDeps, tables: LakeTables, backlogs: readonly Backlog[]): Promise<void> {
  const table = tables.table('meta', 'relay');
  const base = await table.snapshotIfExists();
  const lastUpdated = deps.clock.nowMs();
  // Another relay may have sent more in the meantime: a cursor never goes back.
  const known = (name: string): number => base?.transaction(relayTransaction(name))?.version ?? -1;
  const moved = backlogs
    .filter(({ table: name, version }) => version > known(name))
    .map(({ table: name, version }): Action => ({
      txn: { appId: relayTransaction(name), version, lastUpdated },
    }));
  if (moved.length === 0) return;
  const created = base
    ? []
    : createTableActions({
        schema: RELAY_SCHEMA,
        partitionColumns: [],
        configuration: {},
        clock: deps.clock,
        newId: deps.newId,
      });
  await table.commit({ base, actions: [...created, ...moved], operation: 'RELAY EVENTS', read: 'nothing' });
}

/** The table never has rows: its transactions are its content. */
const RELAY_SCHEMA = {
  type: 'struct',
  fields: [{ name: 'table', type: 'string', nullable: true, metadata: {} }],
} as const;
