/** What we write, Spark reads and goes on with. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { DeltaTable } from '../../src/delta/index.js';
import type { DeltaLab } from '../support/delta-lab.js';
import { struct } from '../support/table.js';
import { expectSameRows, sparkName, type SparkSession } from './session.js';

const SCHEMA = struct({ k: 'long', v: 'string', p: 'date', q: 'integer' });

function rowsOf(from: number, to: number): Array<{ k: number; v: string; p: string; q: number }> {
  return Array.from({ length: to - from }, (_, i) => {
    const k = from + i;
    return { k, v: `ä${k}`, p: `2024-02-${String((k % 2) + 28)}`, q: k % 3 };
  });
}

export function ourWrites(spark: () => SparkSession, lab: DeltaLab): void {
  const newTable = (): DeltaTable => lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));

  test('a constraint that we made holds for Spark', async () => {
    const table = newTable();
    await table.append({ rows: rowsOf(0, 2), schema: SCHEMA });
    await table.addConstraint('keys', 'k >= 0');
    await expect(spark().sql(`INSERT INTO ${sparkName(table)} (k) VALUES (-1)`)).rejects.toThrow(/keys/i);
    await spark().sql(`INSERT INTO ${sparkName(table)} (k) VALUES (7)`);
    expect(await expectSameRows(spark(), lab, table, 'their insert')).toBe(3);
  });

  test('a table that went through every task of maintenance is the same table to Spark', async () => {
    const table = newTable();
    for (let round = 0; round < 6; round += 1)
      await table.append({ rows: rowsOf(round * 10, round * 10 + 10), schema: SCHEMA });
    await table.update({ set: { v: "v || '!'" }, where: 'k % 4 = 0' });
    await table.delete({ where: 'k % 5 = 0' });
    for (const from of [100, 110]) await table.append({ rows: rowsOf(from, from + 10) });
    const before = await lab.rows(table);
    const { commits } = await table.optimize();
    expect(commits).toBe(1);
    await table.checkpoint();
    // Nobody else is at work: whatever the newest version does not need may go.
    expect((await table.vacuum({ retentionMs: 0, force: true })).deleted).toBeGreaterThan(5);
    expect((await table.fsck({ statistics: true })).findings).toEqual([]);
    expect(await lab.rows(table)).toEqual(before);
    expect(await expectSameRows(spark(), lab, table, 'maintained')).toBe(68);
    await spark().sql(`INSERT INTO ${sparkName(table)} (k) VALUES (1000)`);
    expect(await expectSameRows(spark(), lab, table, 'their insert after it')).toBe(69);
  });
}
