/** After every operation of ours delta-rs reads what we read, and what it appends we read, checkpoints included. */
import { describe, expect, test } from 'vitest';
import { keyOfPath, type DeltaTable } from '../../src/delta/index.js';
import { appendWithDeltaRs, readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { deltaLab } from '../support/delta-lab.js';
import { deltaPlace } from '../support/delta-place.js';
import { struct } from '../support/table.js';

const lab = deltaLab();
const SCHEMA = struct({ k: 'long', v: 'string', p: 'date', q: 'integer' });
const ON = 'target.k = source.k';

/** What is done, one commit each, in an order in which each has something to do. */
const STEPS: ReadonlyArray<readonly [string, (table: DeltaTable) => Promise<unknown>]> = [
  ['create', (table) => table.create(SCHEMA, { partitionBy: ['p', 'q'] })],
  ['append', (table) => table.append({ rows: rowsOf(0, 20) })],
  [
    'append once',
    (table) => table.append({ rows: [{ k: 60 }] }, { transaction: { appId: 'sink', version: 3 } }),
  ],
  ['append NULLs', (table) => table.append({ rows: [{ k: 50 }] })],
  ['delete', (table) => table.delete({ where: 'k IN (3, 4)' })],
  ['delete a partition', (table) => table.delete({ where: 'q = 2' })],
  ['update', (table) => table.update({ set: { v: `'changed ' || k`, q: 'q + 10' }, where: 'k % 3 = 0' })],
  ['add a constraint', (table) => table.addConstraint('keys', 'k >= 0 AND k < 1000')],
  [
    'merge',
    (table) =>
      table.merge(
        { rows: rowsOf(15, 30) },
        {
          on: ON,
          whenMatched: [{ when: 'source.k > 17', delete: true }, { update: 'all' }],
          whenNotMatched: [{ insert: 'all' }],
        },
      ),
  ],
  ['checkpoint', (table) => table.checkpoint()],
  ['overwrite partitions', (table) => table.overwrite({ rows: rowsOf(100, 103) }, { replace: 'partitions' })],
  [
    'overwrite where',
    (table) => table.overwrite({ rows: [{ k: 10, v: 'in place' }] }, { replace: { where: 'k < 12' } }),
  ],
  [
    'add a column',
    (table) => table.append({ sql: `SELECT 200 AS k, 1.25::DECIMAL(9,2) AS more` }, { evolveSchema: true }),
  ],
  ['drop the constraint', (table) => table.dropConstraint('keys')],
  ['set properties', (table) => table.setProperties({ 'delta.logRetentionDuration': 'interval 40 days' })],
  [
    'add a column without rows',
    (table) =>
      table.addColumns([{ name: 'inner', type: struct({ a: 'integer' }), nullable: true, metadata: {} }]),
  ],
  ['optimize', (table) => table.optimize()],
  ['restore', (table) => table.restore({ to: { version: 1 } })],
  ['vacuum', (table) => table.vacuum({ retentionMs: 0, force: true })],
  ['clean the log', (table) => table.cleanLog()],
  ['overwrite', (table) => table.overwrite({ rows: rowsOf(0, 5) })],
  [
    'insert what is missing',
    (table) => table.merge({ rows: rowsOf(3, 8) }, { on: ON, whenNotMatched: [{ insert: 'all' }] }),
  ],
  [
    'repair',
    async (table) => {
      const [lost] = (await table.snapshot()).files;
      await table.store.delete([keyOfPath(lost?.path ?? '', table.store.uri)]);
      expect((await table.fsck({ repair: true })).repairedVersion).not.toBeNull();
    },
  ],
  [
    'overwrite with another schema',
    (table) =>
      table.overwrite(
        {
          sql: `SELECT i AS k, 'x' || i AS v, NULL::DATE AS p, 2::INTEGER AS q, true AS o FROM range(3) t(i)`,
        },
        { overwriteSchema: true },
      ),
  ],
  ['second checkpoint', (table) => table.checkpoint()],
];

function rowsOf(from: number, to: number): Array<{ k: number; v: string; p: string; q: number }> {
  return Array.from({ length: to - from }, (_, i) => {
    const k = from + i;
    return { k, v: `ä${k}`, p: `2024-02-${String((k % 2) + 28)}`, q: k % 3 };
  });
}

describe.skipIf(!TEST_PYTHON)('delta-rs (skipped without DATALAB_TEST_PYTHON)', () => {
  describe.each(['local files', 'S3'] as const)('on %s', (kind) => {
    test('reads the same rows after every operation, and appends to the table', async () => {
      const { store, storage } = await deltaPlace(lab, kind, 'delta-operations');
      const table = lab.table(store);
      const uri = store.uri.replace(/^file:\/\//, '');
      for (const [name, step] of STEPS) {
        await step(table);
        const ours = await lab.query(table, (from) => `SELECT k, v, p, q FROM ${from} ORDER BY ALL`);
        const { rows, version, transactions } = await readWithDeltaRs(uri, 'SELECT k, v, p, q FROM t', {
          storage,
          apps: ['sink'],
        });
        expect(transactions['sink'], name).toBe(
          (await table.snapshot()).transaction('sink')?.version ?? null,
        );
        expect(version, name).toBe((await table.snapshot()).version);
        const plain = ours.map((row) => JSON.stringify({ ...row, k: Number(row['k']) })).sort();
        expect(rows.map((row) => JSON.stringify(row)).sort(), name).toEqual(plain);
      }
      await appendWithDeltaRs(uri, [{ k: 900, v: 'theirs', p: null, q: 7 }], storage);
      expect(await table.update({ set: { v: `v || '!'` }, where: 'k >= 900' })).toMatchObject({
        rowsUpdated: 1,
      });
      const { rows } = await readWithDeltaRs(uri, 'SELECT v FROM t WHERE q = 7', { storage });
      expect(rows).toEqual([{ v: 'theirs!' }]);
    });
  });
});
