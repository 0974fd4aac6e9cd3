/**
 * Random histories of operations by concurrent writers over a failing store, against a plain model in memory. Whatever
 * the order in which commits land, the table must hold what the landed operations give one after the other.
 */
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  DeltaError,
  type DataRow,
  type DeltaTable,
  type ObjectInfo,
  type ObjectStore,
  type PutFileOptions,
} from '../../src/delta/index.js';
import type { DeltaLab } from './delta-lab.js';
import type { DeltaDeps } from '../../src/delta/deps.js';
import { FaultyObjectStore, type Fault } from './faulty-store.js';
import { struct } from './table.js';

export interface ModelRow {
  readonly k: number;
  readonly v: string | null;
  readonly p: string | null;
}

interface Where {
  readonly sql: string;
  readonly holds: (row: ModelRow) => boolean;
}

export type Operation =
  | { readonly kind: 'append' | 'overwrite' | 'replace partitions'; readonly rows: readonly ModelRow[] }
  | { readonly kind: 'delete' | 'update' | 'move'; readonly where: Where }
  | { readonly kind: 'replace where'; readonly where: Where; readonly rows: readonly ModelRow[] }
  | { readonly kind: 'merge' | 'insert missing'; readonly rows: readonly ModelRow[] }
  | { readonly kind: 'restore'; readonly back: number }
  | { readonly kind: 'optimize' | 'checkpoint' | 'vacuum' | 'clean log' };

/** A writer's luck: its faults in order, and whether it dies at its first commit, before or after it. */
interface Writer {
  readonly operation: Operation;
  readonly faults: ReadonlyArray<Fault | undefined>;
  readonly dies: 'before' | 'after' | undefined;
  readonly staleLists: number;
  /** How long its commit is held up, so that others overtake it. */
  readonly slowMs: number;
}

export interface History {
  readonly partitioned: boolean;
  readonly rounds: ReadonlyArray<readonly Writer[]>;
}

export const SCHEMA = struct({ k: 'long', v: 'string', p: 'string' });
const row: fc.Arbitrary<ModelRow> = fc.record({
  k: fc.integer({ min: 0, max: 12 }),
  v: fc.constantFrom('a', 'b', null),
  p: fc.constantFrom('x', 'y', null),
});
const rows = fc.array(row, { minLength: 1, maxLength: 5 });
const keyed = fc.uniqueArray(row, { minLength: 1, maxLength: 5, selector: ({ k }) => k });
const where: fc.Arbitrary<Where> = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((n): Where => ({ sql: `k < ${n}`, holds: ({ k }) => k < n })),
  fc.integer({ min: 0, max: 12 }).map((n): Where => ({ sql: `k = ${n}`, holds: ({ k }) => k === n })),
  fc.constantFrom<Where>(
    { sql: `p = 'x'`, holds: ({ p }) => p === 'x' },
    { sql: 'p IS NULL AND k >= 4', holds: ({ k, p }) => p === null && k >= 4 },
    { sql: `v <> 'a'`, holds: ({ v }) => v !== null && v !== 'a' },
    { sql: 'k % 2 = 0', holds: ({ k }) => k % 2 === 0 },
  ),
);
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: rows.map((some): Operation => ({ kind: 'append', rows: some })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('merge', 'insert missing'), keyed)
      .map(([kind, some]): Operation => ({ kind, rows: some })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('delete', 'update', 'move'), where)
      .map(([kind, condition]): Operation => ({ kind, where: condition })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('overwrite', 'replace partitions'), rows)
      .map(([kind, some]): Operation => ({ kind, rows: some })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(where, rows).map(([condition, some]): Operation => ({
      kind: 'replace where',
      where: condition,
      rows: some.filter(condition.holds),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4 }).map((back): Operation => ({ kind: 'restore', back })),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('optimize', 'optimize', 'optimize', 'checkpoint', 'vacuum', 'clean log')
      .map((kind): Operation => ({ kind })),
  },
);
const FAULTS: readonly Fault[] = ['lost response', 'own object exists', 'refused', 'undecided'];
/** What may befall a writer. */
export const MISFORTUNES = [...FAULTS, 'stale list', 'killed between upload and commit'].sort();
const writer: fc.Arbitrary<Writer> = fc.record({
  operation,
  // Often at once: most operations write one commit, and few of them twice.
  faults: fc.oneof(
    fc.constant([]),
    fc.array(fc.option(fc.constantFrom(...FAULTS), { nil: undefined, freq: 5 }), {
      minLength: 1,
      maxLength: 3,
    }),
  ),
  dies: fc.option(fc.constantFrom('before', 'after'), { nil: undefined, freq: 5 }),
  staleLists: fc.constantFrom(0, 0, 1),
  slowMs: fc.constantFrom(0, 0, 50, 150),
});
export const history: fc.Arbitrary<History> = fc.record({
  partitioned: fc.boolean(),
  rounds: fc.array(fc.array(writer, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
});

/** The history with no faults but those that the store has by itself; writers still die. */
export function withoutFaults({ partitioned, rounds }: History): History {
  return { partitioned, rounds: rounds.map((round) => round.map((luck) => ({ ...luck, faults: [] }))) };
}

class Dead extends Error {}

/** The store as one unlucky writer sees it. */
class UnluckyStore extends FaultyObjectStore {
  #dead = false;
  #stale: number;
  #uploads = 0;

  constructor(
    inner: ObjectStore,
    private readonly luck: Writer,
    private readonly struck: Set<string>,
  ) {
    const faults = [...luck.faults];
    super(inner, () => {
      const fault = faults.shift();
      if (fault) struck.add(fault);
      return fault;
    });
    this.#stale = luck.staleLists;
  }

  override async *list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectInfo> {
    this.#alive();
    const found: ObjectInfo[] = [];
    for await (const object of super.list(prefix, options)) found.push(object);
    // The newest commit does not show yet.
    if (
      prefix === '_delta_log/' &&
      this.#stale > 0 &&
      found.filter(({ key }) => key.endsWith('.json')).length > 1
    ) {
      this.#stale -= 1;
      this.struck.add('stale list');
      const newest = found.filter(({ key }) => /\d{20}\.json$/.test(key)).at(-1)?.key;
      yield* found.filter(({ key }) => key !== newest);
    } else yield* found;
  }

  override get(key: string): Promise<Uint8Array> {
    this.#alive();
    return super.get(key);
  }

  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    this.#alive();
    const { dies, slowMs } = this.luck;
    if (slowMs > 0) await delay(slowMs);
    this.#dead = dies !== undefined;
    if (dies === 'before' && this.#uploads > 0) this.struck.add('killed between upload and commit');
    if (dies === 'after') await this.inner.putIfAbsent(key, bytes);
    this.#alive();
    return super.putIfAbsent(key, bytes);
  }

  override putFile(key: string, localPath: string, options?: PutFileOptions): Promise<void> {
    this.#uploads += 1;
    return super.putFile(key, localPath, options);
  }

  override delete(keys: readonly string[]): Promise<void> {
    this.#alive();
    return super.delete(keys);
  }

  #alive(): void {
    if (this.#dead) throw new Dead('the process is gone');
  }
}

/** What may come of an operation besides its success; everything else is a bug. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // VACUUM and the cleaning take what a restore needs.
  restore: ['DELTA_STAGED_MISSING', 'DELTA_VERSION_NOT_FOUND'],
  // Over a stale listing these rather stop.
  vacuum: ['DELTA_VERSION_NOT_FOUND', 'DELTA_LOG_INVALID'],
  checkpoint: ['DELTA_VERSION_NOT_FOUND', 'DELTA_LOG_INVALID'],
};

export function perform(table: DeltaTable, step: Operation, id: string, version: number): Promise<unknown> {
  const how = { info: { op: id } };
  const source =
    'rows' in step
      ? { rows: step.rows as unknown as DataRow[], schema: SCHEMA }
      : { rows: [], schema: SCHEMA };
  switch (step.kind) {
    case 'append':
      return table.append(source, how);
    case 'overwrite':
      return table.overwrite(source, how);
    case 'replace partitions':
      return table.overwrite(source, { ...how, replace: 'partitions' });
    case 'replace where':
      return table.overwrite(source, { ...how, replace: { where: step.where.sql } });
    case 'delete':
      return table.delete({ ...how, where: step.where.sql });
    case 'update':
      return table.update({ ...how, where: step.where.sql, set: { v: `'u${id}'` } });
    case 'move':
      return table.update({ ...how, where: step.where.sql, set: { p: `'z'`, k: 'k + 1' } });
    case 'merge':
      return table.merge(source, {
        ...how,
        on: 'target.k = source.k',
        whenMatched: [{ when: `source.v = 'b'`, delete: true }, { update: { v: 'source.v' } }],
        whenNotMatched: [{ when: 'source.p IS NOT NULL', insert: 'all' }],
      });
    case 'insert missing':
      return table.merge(source, { ...how, on: 'target.k = source.k', whenNotMatched: [{ insert: 'all' }] });
    case 'restore':
      return table.restore({ ...how, to: { version: Math.max(0, version - step.back) } });
    case 'optimize':
      return table.optimize(how);
    case 'checkpoint':
      return table.checkpoint();
    case 'vacuum':
      return table.vacuum();
    case 'clean log':
      return table.cleanLog();
  }
}

/** What the operation makes of the rows. `states` are the rows of every version before it. */
export function apply(
  step: Operation,
  before: readonly ModelRow[],
  id: string,
  version: number,
  states: ReadonlyArray<readonly ModelRow[]>,
): readonly ModelRow[] {
  switch (step.kind) {
    case 'append':
      return [...before, ...step.rows];
    case 'overwrite':
      return step.rows;
    case 'replace partitions':
      return [...before.filter(({ p }) => !step.rows.some((other) => other.p === p)), ...step.rows];
    case 'replace where':
      return [...before.filter((each) => !step.where.holds(each)), ...step.rows];
    case 'delete':
      return before.filter((each) => !step.where.holds(each));
    case 'update':
      return before.map((each) => (step.where.holds(each) ? { ...each, v: `u${id}` } : each));
    case 'move':
      return before.map((each) => (step.where.holds(each) ? { ...each, p: 'z', k: each.k + 1 } : each));
    case 'merge': {
      const bySource = new Map(step.rows.map((each) => [each.k, each]));
      const kept = before.flatMap((each) => {
        const match = bySource.get(each.k);
        if (!match) return [each];
        return match.v === 'b' ? [] : [{ ...each, v: match.v }];
      });
      const known = new Set(before.map(({ k }) => k));
      return [...kept, ...step.rows.filter(({ k, p }) => !known.has(k) && p !== null)];
    }
    case 'insert missing':
      return [...before, ...step.rows.filter(({ k }) => !before.some((each) => each.k === k))];
    case 'restore':
      return states[Math.max(0, version - step.back)] ?? [];
    case 'optimize':
    case 'checkpoint':
    case 'vacuum':
    case 'clean log':
      return before;
  }
}

export const text = (some: ReadonlyArray<{ k: unknown; v: unknown; p: unknown }>): string[] =>
  some.map(({ k, v, p }) => `${String(k)} ${String(v)} ${String(p)}`).sort();

/** A few files, so that the first operations have something to meet over. */
const START: ReadonlyArray<ReadonlyArray<{ k: number; v: string | null; p: string | null }>> = [
  [
    { k: 1, v: 'a', p: 'x' },
    { k: 5, v: null, p: 'x' },
  ],
  [
    { k: 2, v: 'b', p: 'x' },
    { k: 9, v: 'a', p: null },
  ],
  [{ k: 4, v: 'b', p: 'y' }],
];
const DAY_MS = 86_400_000;

/**
 * Plays a history on a store, comparing after every round. `clock` is what the store goes by; it moves on three days a
 * round. Stores that go by the machine's clock have none, and VACUUM then finds nothing that is old enough. What befell a
 * writer goes to `struck`. `deps` are what tables are opened with besides.
 */
export async function play(
  lab: DeltaLab,
  store: ObjectStore,
  { partitioned, rounds }: History,
  {
    clock,
    struck = new Set(),
    deps = {},
  }: { clock?: { nowMs: number }; struck?: Set<string>; deps?: Partial<DeltaDeps> } = {},
): Promise<void> {
  const own = { ...deps, clock: { nowMs: () => clock?.nowMs ?? Date.now() } };
  const open = (at: ObjectStore): DeltaTable => lab.table(at, own);
  await open(store).create(SCHEMA, { partitionBy: partitioned ? ['p'] : [] });
  const states: Array<readonly ModelRow[]> = [[]];
  for (const first of START) {
    await open(store).append({ rows: [...first] });
    states.push([...(states.at(-1) ?? []), ...first]);
  }
  let count = 0;
  for (const drawn of rounds) {
    // Without partitions there are none to replace.
    const round = partitioned ? drawn : drawn.map(wholeInstead);
    if (clock) clock.nowMs += 3 * DAY_MS;
    const start = states.length - 1;
    const byId = new Map<string, Operation>();
    await Promise.all(
      round.map(async (luck) => {
        const id = String((count += 1));
        byId.set(id, luck.operation);
        try {
          await perform(open(new UnluckyStore(store, luck, struck)), luck.operation, id, start);
        } catch (error) {
          expectAllowed(error, luck);
        }
      }),
    );
    // The log says what landed, and in which order.
    const table = open(store);
    const snapshot = await table.snapshot();
    for (let version = states.length; version <= snapshot.version; version += 1) {
      const id = String((await table.commitInfo(version))['op']);
      const step = byId.get(id);
      if (!step) throw new Error(`nobody made version ${version}`);
      if (step.kind !== 'optimize') byId.delete(id);
      states.push(apply(step, states[version - 1] ?? [], id, start, states));
    }
    const wanted = text(states.at(-1) ?? []);
    expect(text((await lab.rows(table)) as never), describe(round)).toEqual(wanted);
  }
  const report = await open(store).fsck({ statistics: true });
  expect(report.findings).toEqual([]);
}

function wholeInstead(luck: Writer): Writer {
  return { ...luck, operation: withoutPartitions(luck.operation) };
}

/** The operation for a table that has no partitions to replace. */
export function withoutPartitions(step: Operation): Operation {
  return step.kind === 'replace partitions' ? { ...step, kind: 'overwrite' } : step;
}

function describe(round: readonly Writer[]): string {
  return `after ${round.map(({ operation: { kind } }) => kind).join(' | ')}`;
}

function expectAllowed(error: unknown, { operation: { kind }, dies, faults }: Writer): void {
  if (error instanceof Dead && dies !== undefined) return;
  // A checkpoint is not tried again by itself.
  if (kind === 'checkpoint' && faults.length > 0 && /socket hang up|503|409/.test(String(error))) return;
  if (error instanceof DeltaError && error.code === 'DELTA_CONCURRENT_CHANGE') return;
  if (error instanceof DeltaError && ALLOWED[kind]?.includes(error.code)) return;
  throw error;
}
