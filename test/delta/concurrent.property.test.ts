/**
 * Random histories of concurrent writers with faults, against a plain model. Whatever the order in which commits land,
 * every version must be what applying the landed operations one after the other gives.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import {
  DeltaTable,
  overwriteActions,
  type Action,
  type CommitResult,
  type Snapshot,
} from '../../src/delta/index.js';
import { FaultyObjectStore, type Fault } from '../support/faulty-store.js';
import { CLOCK, createTable, fakeAdd, pathsOf } from '../support/table.js';
import { seedOf } from '../support/seed.js';

type Operation =
  | { readonly kind: 'append' }
  | { readonly kind: 'once'; readonly app: string }
  | { readonly kind: 'overwrite' }
  | { readonly kind: 'delete half' };

interface Landed {
  readonly version: number;
  readonly added: readonly string[];
  readonly removed: readonly string[] | 'everything';
  readonly app?: { readonly id: string; readonly version: number };
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.constant<Operation>({ kind: 'append' }),
  fc.constantFrom('a', 'b').map((app): Operation => ({ kind: 'once', app })),
  fc.constant<Operation>({ kind: 'overwrite' }),
  fc.constant<Operation>({ kind: 'delete half' }),
);
const fault = fc.option(fc.constantFrom<Fault>('lost response', 'own object exists', 'refused'), {
  nil: undefined,
  freq: 2,
});
/** Operations of one round are decided on one snapshot each and run at the same time. */
const history = fc.record({
  rounds: fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
  faults: fc.array(fault, { maxLength: 40 }),
});

const MODEL_START = ['f'];

function decide(
  operation: Operation,
  base: Snapshot,
  name: string,
): { actions: Action[]; landed: Omit<Landed, 'version'> } {
  const add: Action = { add: fakeAdd(name) };
  switch (operation.kind) {
    case 'append':
      return { actions: [add], landed: { added: [name], removed: [] } };
    case 'once': {
      const version = (base.transaction(operation.app)?.version ?? 0) + 1;
      const actions: Action[] = [add, { txn: { appId: operation.app, version } }];
      return { actions, landed: { added: [name], removed: [], app: { id: operation.app, version } } };
    }
    case 'overwrite': {
      const actions = overwriteActions(base, [fakeAdd(name)], { clock: CLOCK });
      return { actions, landed: { added: [name], removed: 'everything' } };
    }
    case 'delete half': {
      const removed = pathsOf(base).filter((_, index) => index % 2 === 0);
      const actions = removed.map((path): Action => ({ remove: { path, dataChange: true } }));
      return { actions, landed: { added: [], removed } };
    }
  }
}

function readsTable(operation: Operation): boolean {
  return operation.kind === 'overwrite' || operation.kind === 'delete half';
}

async function run(
  store: MemoryObjectStore,
  table: DeltaTable,
  rounds: readonly Operation[][],
): Promise<Landed[]> {
  const landed: Landed[] = [];
  let counter = 0;
  for (const round of rounds) {
    await Promise.all(
      round.map(async (step) => {
        const base = await new DeltaTable(store).snapshot();
        const decision = decide(step, base, `n${(counter += 1)}`);
        if (decision.actions.length === 0) return;
        const read = readsTable(step) ? 'table' : 'nothing';
        const result: CommitResult = await table.commit({
          base,
          actions: decision.actions,
          operation: step.kind,
          read,
        });
        if (result.status === 'committed') landed.push({ version: result.version, ...decision.landed });
      }),
    );
  }
  return landed.sort((a, b) => a.version - b.version);
}

test('every version is what the landed operations give one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ rounds, faults }) => {
      const memory = new MemoryObjectStore();
      await createTable(new DeltaTable(memory), MODEL_START);
      const pending = [...faults];
      const table = new DeltaTable(new FaultyObjectStore(memory, () => pending.shift()), {
        sleep: () => Promise.resolve(),
      });
      const landed = await run(memory, table, rounds);

      // No version twice, none missing: nothing landed that its writer was not told of, and nothing twice.
      expect(landed.map(({ version }) => version)).toEqual(landed.map((_, index) => index + 1));
      expect((await new DeltaTable(memory).snapshot()).version).toBe(landed.length);
      let files = new Set(MODEL_START);
      const apps = new Map<string, number>();
      for (const { version, added, removed, app } of landed) {
        if (removed === 'everything') files = new Set();
        else for (const path of removed) expect(files.delete(path)).toBe(true);
        for (const path of added) files.add(path);
        if (app) {
          // Exactly once: the n-th commit of an application is decided on its n-1 earlier ones.
          expect(app.version).toBe((apps.get(app.id) ?? 0) + 1);
          apps.set(app.id, app.version);
        }
        const snapshot = await new DeltaTable(memory).snapshot({ version });
        expect(pathsOf(snapshot)).toEqual([...files].sort());
        expect(new Map([...snapshot.transactions].map(([id, txn]) => [id, txn.version]))).toEqual(apps);
      }
    }),
    { seed: seedOf(23), numRuns: 150 },
  );
});
