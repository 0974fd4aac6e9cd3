/**
 * Random sequences of operations on one table, where Spark and we take turns, against a plain model: whoever made the last
 * change, both read what the operations give one after the other.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import {
  apply,
  operation,
  perform,
  SCHEMA,
  text,
  withoutPartitions,
  type ModelRow,
  type Operation,
} from '../support/delta-history.js';
import type { DeltaLab } from '../support/delta-lab.js';
import { seedOf } from '../support/seed.js';
import { expectSameRows, sparkName, type SparkSession } from './session.js';

const turns = fc.record({
  partitioned: fc.boolean(),
  /** What Spark gives the table: its deletion vectors and its checkpoints then take part. */
  properties: fc.subarray([
    `'delta.enableDeletionVectors' = 'true'`,
    `'delta.checkpointInterval' = '2'`,
    `'delta.checkpointPolicy' = 'v2'`,
  ]),
  steps: fc.array(fc.tuple(fc.constantFrom('Spark', 'us'), operation), { minLength: 5, maxLength: 6 }),
});

const sqlText = (value: string | null): string => (value === null ? 'CAST(NULL AS STRING)' : `'${value}'`);
const valuesOf = (rows: readonly ModelRow[]): string =>
  `SELECT * FROM VALUES ${rows
    .map(({ k, v, p }) => `(CAST(${k} AS BIGINT), ${sqlText(v)}, ${sqlText(p)})`)
    .join(', ')} AS s(k, v, p)`;

/** The operation as Spark's statements over `t`. */
function statements(t: string, step: Operation, id: string, version: number): string[] {
  switch (step.kind) {
    case 'append':
      return [`INSERT INTO ${t} ${valuesOf(step.rows)}`];
    case 'overwrite':
      return [`INSERT OVERWRITE ${t} ${valuesOf(step.rows)}`];
    case 'replace partitions':
      return [
        'SET spark.sql.sources.partitionOverwriteMode = dynamic',
        `INSERT OVERWRITE ${t} ${valuesOf(step.rows)}`,
        'RESET spark.sql.sources.partitionOverwriteMode',
      ];
    case 'replace where':
      return step.rows.length === 0
        ? [`DELETE FROM ${t} WHERE ${step.where.sql}`]
        : [`INSERT INTO ${t} REPLACE WHERE ${step.where.sql} ${valuesOf(step.rows)}`];
    case 'delete':
      return [`DELETE FROM ${t} WHERE ${step.where.sql}`];
    case 'update':
      return [`UPDATE ${t} SET v = 'u${id}' WHERE ${step.where.sql}`];
    case 'move':
      return [`UPDATE ${t} SET p = 'z', k = k + 1 WHERE ${step.where.sql}`];
    case 'merge':
      return [
        `MERGE INTO ${t} AS target USING (${valuesOf(step.rows)}) AS source ON target.k = source.k ` +
          `WHEN MATCHED AND source.v = 'b' THEN DELETE WHEN MATCHED THEN UPDATE SET v = source.v ` +
          `WHEN NOT MATCHED AND source.p IS NOT NULL THEN INSERT *`,
      ];
    case 'insert missing':
      return [
        `MERGE INTO ${t} AS target USING (${valuesOf(step.rows)}) AS source ON target.k = source.k ` +
          `WHEN NOT MATCHED THEN INSERT *`,
      ];
    case 'restore':
      return [`RESTORE TABLE ${t} TO VERSION AS OF ${Math.max(0, version - step.back)}`];
    case 'optimize':
      return [`OPTIMIZE ${t}`];
    case 'vacuum':
      return [`VACUUM ${t}`];
    case 'checkpoint':
    case 'clean log':
      return [`DESCRIBE HISTORY ${t}`];
  }
}

export function takingTurns(spark: () => SparkSession, lab: DeltaLab): void {
  test('whoever made the last change, both read what the operations give one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(turns, async ({ partitioned, properties, steps }) => {
        const table = lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));
        const name = sparkName(table);
        await table.create(SCHEMA, { partitionBy: partitioned ? ['p'] : [] });
        if (properties.length > 0)
          await spark().sql(`ALTER TABLE ${name} SET TBLPROPERTIES (${properties.join(', ')})`);
        let { version } = await table.snapshot();
        const states: Array<readonly ModelRow[]> = Array.from({ length: version + 1 }, () => []);
        for (const [index, [actor, drawn]] of steps.entries()) {
          const step = partitioned ? drawn : withoutPartitions(drawn);
          const id = String(index);
          // A restore must not take the table's properties with it.
          const from = step.kind === 'restore' ? Math.min(version, version - step.back) : version;
          if (step.kind === 'restore' && from < (properties.length > 0 ? 1 : 0)) continue;
          const wanted = apply(step, states[version] ?? [], id, version, states);
          if (actor === 'us') await perform(table, step, id, version);
          else await spark().sql(...statements(name, step, id, version));
          ({ version } = await table.snapshot());
          while (states.length <= version) states.push(wanted);
          const ours = text((await lab.rows(table)) as never);
          expect(ours, `${actor}: ${step.kind}`).toEqual(text(wanted));
        }
        await expectSameRows(spark(), lab, table, 'all of them');
        expect((await table.fsck({ statistics: true })).findings).toEqual([]);
      }),
      { seed: seedOf(23), numRuns: 3 },
    );
  });
}
