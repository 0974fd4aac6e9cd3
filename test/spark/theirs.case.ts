/** What Spark does to a table of ours: we read the same after it and append, and Spark reads that. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { DeltaTable } from '../../src/delta/index.js';
import type { DeltaLab } from '../support/delta-lab.js';
import { struct } from '../support/table.js';
import { expectSameRows, sparkName, type SparkSession } from './session.js';

const SCHEMA = struct({ k: 'long', v: 'string', p: 'string' });

type Steps = ReadonlyArray<readonly [statement: string, holds?: (table: DeltaTable) => Promise<boolean>]>;

/** Statements over `$t`, each with what must then be true of the table's log. */
const SEQUENCES: Readonly<Record<string, Steps>> = {
  'rows and deletion vectors': [
    [`INSERT INTO $t VALUES (50, 'theirs', 'x')`],
    [`DELETE FROM $t WHERE k = 3`, withoutVectors],
    [`ALTER TABLE $t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`],
    [`DELETE FROM $t WHERE k % 7 = 1`, withVectors],
    [`UPDATE $t SET v = concat(v, '!') WHERE k % 5 = 0`, withVectors],
    [
      `MERGE INTO $t AS t USING (SELECT k + 2 AS k, 'm' AS v, p FROM $t WHERE k BETWEEN 15 AND 20) s ON t.k = s.k ` +
        `WHEN MATCHED AND s.k % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *`,
      withVectors,
    ],
  ],
  'packing and checkpoints': [
    [`ALTER TABLE $t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`],
    [`DELETE FROM $t WHERE k = 10`, withVectors],
    [`REORG TABLE $t APPLY (PURGE)`, withoutVectors],
    [`OPTIMIZE $t`],
    [`ALTER TABLE $t SET TBLPROPERTIES ('delta.checkpointInterval' = '1')`, fromCheckpoint('classic')],
    [`ALTER TABLE $t SET TBLPROPERTIES ('delta.checkpointPolicy' = 'v2')`, fromCheckpoint('uuid')],
    [`DELETE FROM $t WHERE k = 12`, fromCheckpoint('uuid')],
    [`VACUUM $t`],
  ],
  'columns, partitions and constraints': [
    [`ALTER TABLE $t ADD COLUMNS (w DECIMAL(10,2), n STRUCT<a: INT, b: ARRAY<STRING>>)`],
    [`INSERT INTO $t VALUES (61, 'wide', 'z', 1.25, named_struct('a', 1, 'b', array('c', NULL)))`],
    [`INSERT INTO $t REPLACE WHERE p = 'z' SELECT 62, 'replaced', 'z', 2.5, NULL`],
    [`ALTER TABLE $t ADD CONSTRAINT positive CHECK (k > -1)`],
    [`RESTORE TABLE $t TO VERSION AS OF 0`],
    [`ALTER TABLE $t ADD CONSTRAINT positive CHECK (k > -1)`],
  ],
};

async function vectors(table: DeltaTable): Promise<number> {
  return (await table.snapshot()).files.filter(({ deletionVector }) => deletionVector !== undefined).length;
}
async function withVectors(table: DeltaTable): Promise<boolean> {
  return (await vectors(table)) > 0;
}
async function withoutVectors(table: DeltaTable): Promise<boolean> {
  return (await vectors(table)) === 0;
}
/** Whether the version at hand has a checkpoint of the form, from which a new reader makes it. */
function fromCheckpoint(form: 'classic' | 'uuid'): (table: DeltaTable) => Promise<boolean> {
  return async (table) => {
    const { version } = await table.snapshot();
    const name = `_delta_log/${String(version).padStart(20, '0')}.checkpoint.`;
    const keys: string[] = [];
    for await (const { key } of table.store.list(name)) keys.push(key.slice(name.length));
    return keys.some((rest) => (rest === 'parquet') === (form === 'classic'));
  };
}

/** How the table's files have the column `v`, as the engine sees them. */
async function variantForms(lab: DeltaLab, table: DeltaTable): Promise<string[]> {
  const { files } = await table.snapshot();
  const local = await table.store.checkout(files.map(({ path }) => path));
  const inputs = files.map(({ path }) => local.pathOf(path));
  const session = await lab.engine.open({ inputs });
  try {
    const forms = await Promise.all(
      inputs.map((path) => session.describe(`SELECT v FROM read_parquet('${path}')`)),
    );
    return [...new Set(forms.flatMap((columns) => columns.map(({ type }) => type)))];
  } finally {
    await session.close();
    local.release();
  }
}

export function theirOperations(spark: () => SparkSession, lab: DeltaLab): void {
  test.each(Object.entries(SEQUENCES))(
    '%s: we read the same after every operation of theirs and append, and they read that',
    async (name, steps) => {
      const store = new LocalObjectStore(join(lab.folder, randomUUID()));
      const start = Array.from({ length: 30 }, (_, k) => ({ k, v: `ä${k}`, p: k % 2 ? 'x' : 'y' }));
      await lab.table(store).append({ rows: start, schema: SCHEMA }, { create: { partitionBy: ['p'] } });
      for (const [index, [statement, holds]] of steps.entries()) {
        // A new table each time: it knows nothing of the log but what it reads.
        const table = lab.table(store);
        await spark().sql(statement.replaceAll('$t', sparkName(table)));
        if (holds) expect(await holds(table), statement).toBe(true);
        await expectSameRows(spark(), lab, table, statement);
        await table.append({ rows: [{ k: 1000 + index, v: 'ours', p: 'x' }] });
      }
      const table = lab.table(store);
      await expectSameRows(spark(), lab, table, name);
      expect((await table.fsck({ statistics: true })).findings).toEqual([]);
      if (!/constraints/.test(name)) return;
      await expect(table.append({ rows: [{ k: -1 }] })).rejects.toMatchObject({
        code: 'DELTA_CONSTRAINT_VIOLATED',
      });
    },
  );

  test('what we write over their deletion vectors, they read', async () => {
    const table = lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));
    const start = Array.from({ length: 20 }, (_, k) => ({ k, v: `ä${k}`, p: 'x' }));
    await table.append({ rows: start, schema: SCHEMA });
    await spark().sql(
      `ALTER TABLE ${sparkName(table)} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`,
      `DELETE FROM ${sparkName(table)} WHERE k % 4 = 0`,
    );
    expect(await vectors(table)).toBe(1);
    await table.update({ set: { v: `'again'` }, where: 'k < 6' });
    expect(await expectSameRows(spark(), lab, table, 'our update')).toBe(15);
    await spark().sql(`DELETE FROM ${sparkName(table)} WHERE k = 9`);
    await table.merge(
      {
        rows: [
          { k: 10, v: 'merged', p: 'x' },
          { k: 0, v: 'back', p: 'x' },
        ],
      },
      {
        on: 'target.k = source.k',
        whenMatched: [{ update: { v: 'source.v' } }],
        whenNotMatched: [{ insert: 'all' }],
      },
    );
    expect(await expectSameRows(spark(), lab, table, 'our merge')).toBe(15);
    await spark().sql(`DELETE FROM ${sparkName(table)} WHERE k IN (1, 2)`);
    await table.optimize();
    expect(await vectors(table)).toBe(0);
    expect(await expectSameRows(spark(), lab, table, 'our packing')).toBe(13);
    await table.restore({ to: { version: 2 } });
    expect(await vectors(table)).toBe(1);
    expect(await expectSameRows(spark(), lab, table, 'our restore of their vector')).toBe(15);
  });

  test.each(['false', 'true'])('we read their variants (shredded: %s)', async (shredded) => {
    const table = lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));
    const name = sparkName(table);
    const values = [`{"a": 1, "b": {"c": [true, null, "ü"]}}`, `{"a": "text"}`, '[1.5, -3000000000]', 'null'];
    const rows = values.map((value, id) => `(${id}, parse_json('${value}'))`).join(', ');
    await spark().sql(
      `CREATE TABLE ${name} (id BIGINT, v VARIANT) USING delta ` +
        `TBLPROPERTIES ('delta.enableVariantShredding' = '${shredded}')`,
      ...(shredded === 'true' ? [`SET spark.sql.variant.forceShreddingSchemaForTest = a INT, b STRING`] : []),
      `INSERT INTO ${name} VALUES ${rows}, (9, NULL)`,
      `RESET spark.sql.variant.forceShreddingSchemaForTest`,
      // Files of older Spark do not mark their variants.
      `SET spark.sql.parquet.variant.annotateLogicalType.enabled = false`,
      ...(shredded === 'true' ? [] : [`INSERT INTO ${name} VALUES (10, parse_json('{"unmarked": 2}'))`]),
      `RESET spark.sql.parquet.variant.annotateLogicalType.enabled`,
    );
    const forms = (await variantForms(lab, table)).sort();
    expect(forms).toEqual(
      shredded === 'true' ? ['VARIANT'] : ['STRUCT("value" BLOB, "metadata" BLOB)', 'VARIANT'],
    );
    const theirs = await spark().sql(`SELECT id, to_json(v) AS v FROM ${name} ORDER BY id`);
    const ours: Array<{ id: number; v: unknown }> = [];
    for await (const batch of table.read()) {
      for (const row of batch.toArray() as unknown as Array<{ id: bigint; v: string | null }>)
        ours.push({ id: Number(row.id), v: row.v === null ? null : JSON.parse(row.v) });
    }
    const told = theirs.map(({ id, v }) => ({
      id,
      v: v === null ? null : (JSON.parse(String(v)) as unknown),
    }));
    expect(ours.sort((a, b) => a.id - b.id)).toEqual(told);
    expect(ours).toHaveLength(shredded === 'true' ? 5 : 6);
  });
}
