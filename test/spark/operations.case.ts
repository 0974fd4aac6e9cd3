/**
 * Every operation of ours, one after the other on one table: after each, Spark reads the same rows and appends; we read
 * the same and append; Spark reads again.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { DeltaTable } from '../../src/delta/index.js';
import type { DeltaLab } from '../support/delta-lab.js';
import { struct } from '../support/table.js';
import { expectSameRows, sparkName, type SparkSession } from './session.js';

const SCHEMA = struct({ k: 'long', v: 'string', p: 'date', q: 'integer' });
const ON = 'target.k = source.k';

function rowsOf(from: number, to: number): Array<{ k: number; v: string; p: string; q: number }> {
  return Array.from({ length: to - from }, (_, i) => {
    const k = from + i;
    return { k, v: `ä${k}`, p: `2024-02-${String((k % 2) + 28)}`, q: k % 3 };
  });
}

type Step = (table: DeltaTable) => Promise<unknown>;

/** What is done, in an order in which each has something to do. */
const STEPS: ReadonlyArray<readonly [string, Step]> = [
  ['create', (table) => table.create(SCHEMA, { partitionBy: ['p', 'q'] })],
  ['append', (table) => table.append({ rows: rowsOf(0, 20) })],
  ['append NULLs', (table) => table.append({ rows: [{ k: 50 }] })],
  ['delete', (table) => table.delete({ where: 'k IN (3, 4)' })],
  ['delete a partition', (table) => table.delete({ where: 'q = 2' })],
  ['update', (table) => table.update({ set: { v: `'changed ' || k`, q: 'q + 10' }, where: 'k % 3 = 0' })],
  ['add a constraint', (table) => table.addConstraint('keys', 'k >= 0 AND k < 100000')],
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
    'append with a new column',
    (table) => table.append({ sql: `SELECT 200 AS k, 1.25::DECIMAL(9,2) AS more` }, { evolveSchema: true }),
  ],
  [
    'add a nested column',
    (table) =>
      table.addColumns([
        { name: 'inner', type: struct({ a: 'integer', b: 'timestamp' }), nullable: true, metadata: {} },
      ]),
  ],
  [
    'append nested rows',
    (table) => table.append({ rows: [{ k: 201, inner: { a: 1, b: '2024-01-01T00:00:00.000001Z' } }] }),
  ],
  ['set properties', (table) => table.setProperties({ 'delta.checkpointInterval': '7', own: 'x' })],
  ['drop the constraint', (table) => table.dropConstraint('keys')],
  ['optimize', (table) => table.optimize()],
  ['vacuum', (table) => table.vacuum({ retentionMs: 0, force: true })],
  ['restore', async (table) => table.restore({ to: { version: (await table.snapshot()).version - 1 } })],
  ['clean the log', (table) => table.cleanLog()],
  ['overwrite', (table) => table.overwrite({ rows: rowsOf(0, 5) })],
  [
    'overwrite with another schema',
    (table) =>
      table.overwrite(
        { sql: `SELECT 1::BIGINT AS k, 'x' AS v, NULL::DATE AS p, 2::INTEGER AS q, true AS o` },
        { overwriteSchema: true },
      ),
  ],
  ['second checkpoint', (table) => table.checkpoint()],
];

export function everyOperation(spark: () => SparkSession, lab: DeltaLab): void {
  test('Spark reads the same rows after every operation and appends, and so do we', async () => {
    const table = lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));
    let next = 1000;
    for (const [index, [name, step]] of STEPS.entries()) {
      await step(table);
      await expectSameRows(spark(), lab, table, name);
      await spark().sql(`INSERT INTO ${sparkName(table)} (k, v) VALUES (${next}, 'theirs')`);
      await table.append({ rows: [{ k: next + 1, v: 'ours' }] });
      const appended = await lab.query(
        table,
        (from) => `SELECT v FROM ${from} WHERE k >= ${next} AND k < ${next + 2} ORDER BY k`,
      );
      expect(appended, `both appended after ${name}`).toEqual([{ v: 'theirs' }, { v: 'ours' }]);
      // Otherwise the rows are still there when Spark reads after the next operation.
      const following = STEPS[index + 1]?.[0] ?? 'overwrite';
      if (/overwrite|restore/.test(following))
        await expectSameRows(spark(), lab, table, `both appended after ${name}`);
      next += 2;
    }
    const report = await table.fsck({ statistics: true });
    expect(report.findings).toEqual([]);
  });

  test('a transaction of ours is one to Spark, and theirs is one to us', async () => {
    const table = lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));
    const once = { transaction: { appId: 'sink', version: 7 } };
    await table.append({ rows: rowsOf(0, 2), schema: SCHEMA }, once);
    const as = (version: number): string[] => [
      `SET spark.databricks.delta.write.txnAppId = sink`,
      `SET spark.databricks.delta.write.txnVersion = ${version}`,
      `INSERT INTO ${sparkName(table)} (k) VALUES (${version})`,
      `RESET spark.databricks.delta.write.txnAppId`,
      `RESET spark.databricks.delta.write.txnVersion`,
    ];
    await spark().sql(...as(7));
    expect(await expectSameRows(spark(), lab, table, 'their repetition of ours')).toBe(2);
    await spark().sql(...as(8));
    expect((await table.snapshot()).transaction('sink')).toMatchObject({ version: 8 });
    expect(
      await table.append({ rows: rowsOf(9, 10) }, { transaction: { appId: 'sink', version: 8 } }),
    ).toMatchObject({ status: 'repeated' });
    expect(await expectSameRows(spark(), lab, table, 'our repetition of theirs')).toBe(3);
  });
}
