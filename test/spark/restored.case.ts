/** A lake that was deleted whole and restored from a backup: Spark reads every table of it as before, and goes on. */
import { expect, test } from 'vitest';
import { BackupLab, TABLES } from '../activities/backup-lab.js';
import type { DeltaLab } from '../support/delta-lab.js';
import { expectSameRows, sparkName, type SparkSession } from './session.js';

export function restoredTables(spark: () => SparkSession, lab: DeltaLab): void {
  test('a lake that was deleted whole and restored is the same lake to Spark', async () => {
    const backups = new BackupLab();
    try {
      await backups.someRuns();
      await backups.someLife();
      const silver = backups.lab.table('silver/sales');
      const tables = TABLES.map((name) => backups.lab.table(name));
      const theirRows = (): Promise<unknown[]> =>
        Promise.all(
          tables.map(async (table) => {
            const rows = await spark().sql(`SELECT * FROM ${sparkName(table)}`);
            return rows.map((row) => JSON.stringify(row)).sort();
          }),
        );
      const before = await theirRows();
      expect(before.flat()).toHaveLength(6 + 3 + 3 + 1 + 3);
      await backups.create();
      expect(await backups.deleteLake()).toBeGreaterThan(20);
      await expect(spark().sql(`SELECT * FROM ${sparkName(silver)}`)).rejects.toThrow();
      await backups.restore();
      expect(await theirRows()).toEqual(before);
      for (const [index, name] of TABLES.entries())
        await expectSameRows(spark(), lab, backups.lab.table(name), `${name} was restored (${index})`);
      await spark().sql(`INSERT INTO ${sparkName(silver)} (id, name) VALUES (1000, 'theirs')`);
      expect(
        await expectSameRows(
          spark(),
          lab,
          backups.lab.table('silver/sales'),
          'an insert into what was restored',
        ),
      ).toBe(4);
    } finally {
      backups.close();
    }
  });
}
