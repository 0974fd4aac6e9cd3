/** Maintenance of single tables, over tables that real runs of the real activities made; and what a diff says of them. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, expect, it } from 'vitest';
import { BackupStore } from '../../src/lake/backup-store.js';
import { createActivities } from '../../src/activities/index.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import type { TableMaintained, TableTask } from '../../src/contracts/table-maintenance.js';
import { diffVersions } from '../../src/lake/diff.js';
import { Lab } from './lab.js';

const DAY_MS = 24 * 3600_000;
let lab: Lab;
afterEach(() => lab.close());

function maintain(table: string, task: TableTask): Promise<TableMaintained> {
  const { maintainTable } = createActivities(lab.deps);
  const environment = new MockActivityEnvironment({ activityType: 'maintainTable' });
  return environment.run(maintainTable, { table, task, runId: 'maintenance-1' }) as Promise<TableMaintained>;
}

/** A Silver table of three small files, as three runs leave it. */
async function threeRuns(): Promise<void> {
  lab = new Lab({ lake: 'folder' });
  for (const [name, ...lines] of [
    ['a.csv', '1,ann,10', '2,bob,20'],
    ['b.csv', '3,eve,1'],
    ['c.csv', '2,bob,25', '4,joe,2'],
  ] as const) {
    lab.source(name, ...lines);
    await lab.run();
  }
}
const silver = () => lab.rows('silver/sales', 'id, name, amount', 'ORDER BY id');

it('packs the files that runs leave, so that the next run still goes by increments', async () => {
  await threeRuns();
  const before = await silver();
  const packed = await maintain('silver.sales', { operation: 'optimize' });
  expect(packed).toMatchObject({ versionBefore: 2, versionAfter: 3, figures: { filesAfter: 1 } });
  expect(await silver()).toEqual(before);
  expect((await maintain('bronze.sales', { operation: 'optimize' })).figures).toMatchObject({
    filesAfter: 1,
  });

  // Re-arranged rows are no news: nobody computes anything again because of them.
  const idle = await lab.run();
  expect([idle.bronze, idle.gold['totals']]).toEqual([null, null]);
  lab.source('d.csv', '5,zoe,3');
  const next = await lab.run();
  expect(next.silver?.ledger).toEqual({ read: 1, accepted: 1, duplicate: 0, quarantined: 0 });
  expect(await lab.rows('gold/sizes', 'size')).toEqual([{ size: 5n }]);
});

it('refuses a retention below the table’s, deletes nothing in a dry run, and what nobody needs later', async () => {
  await threeRuns();
  await maintain('silver.sales', { operation: 'optimize' });
  await expect(maintain('silver.sales', { operation: 'vacuum', retentionHours: 0 })).rejects.toMatchObject({
    type: 'DELTA_RETENTION_TOO_SHORT',
    nonRetryable: true,
  });
  expect((await maintain('silver.sales', { operation: 'vacuum' })).figures).toMatchObject({ deleted: 0 });
  // The store's clock is the machine's: files grow old where the lab's clock is put ahead of it.
  lab.nowMs = Date.now() + 8 * 24 * 3600_000;
  const rows = await silver();
  const planned = await maintain('silver.sales', { operation: 'vacuum', dryRun: true });
  expect(planned.figures).toMatchObject({ dryRun: true });
  expect(planned.figures['deleted']).toBeGreaterThan(0);
  expect((await maintain('silver.sales', { operation: 'fsck' })).figures).toMatchObject({
    findings: [],
    orphans: planned.figures['deleted'],
  });
  const done = await maintain('silver.sales', { operation: 'vacuum' });
  expect(done.figures).toMatchObject({ dryRun: false, deleted: planned.figures['deleted'] });
  expect(await silver()).toEqual(rows);
});

it('takes a table back, after which Gold follows, and tells what that changed', async () => {
  await threeRuns();
  const restored = await maintain('silver.sales', { operation: 'restore', version: 1 });
  expect(restored).toMatchObject({ versionBefore: 2, versionAfter: 3 });
  expect(await silver()).toEqual([
    { id: 1n, name: 'ANN', amount: 10 },
    { id: 2n, name: 'BOB', amount: 20 },
    { id: 3n, name: 'EVE', amount: 1 },
  ]);
  const lake = { store: lab.deps.lake, engine: lab.deps.engine };
  const name = { layer: 'silver', table: 'sales' } as const;
  const there = await diffVersions(lake, name, { from: 1, to: 2, limit: 10 });
  const ids = (side: (typeof there)['lost']) => side.sample.rows.map(([id]) => id);
  expect([there.lost.total, ids(there.lost), there.gained.total, ids(there.gained)]).toEqual([
    1,
    [2n],
    2,
    [2n, 4n],
  ]);
  const nothing = await diffVersions(lake, name, { from: 1, limit: 10 });
  expect([nothing.to, nothing.lost.total, nothing.gained.total]).toEqual([3, 0, 0]);

  const run = await lab.run();
  expect(run.written['sizes']?.step.detail).toContain('computed whole');
  expect(await lab.rows('gold/sizes', 'size')).toEqual([{ size: 3n }]);
});

it('says which table it does not know', async () => {
  lab = new Lab();
  await expect(maintain('silver.nowhere', { operation: 'optimize' })).rejects.toMatchObject({
    type: 'TABLE_UNKNOWN',
  });
});

it('keeps for the next backup what left a table since the last one', async () => {
  await threeRuns();
  await maintain('silver.sales', { operation: 'optimize' });
  const backup = new MemoryObjectStore('backup', lab.deps.clock);
  const vacuum = (retentionHours?: number) => {
    const { maintainTable } = createActivities({ ...lab.deps, backup });
    const logger = new DefaultLogger('ERROR');
    const environment = new MockActivityEnvironment({ activityType: 'maintainTable' }, { logger });
    const task = {
      operation: 'vacuum' as const,
      ...(retentionHours !== undefined && { retentionHours }),
    };
    const request = { table: 'silver.sales', task, runId: 'maintenance-1' };
    return environment.run(maintainTable, request) as Promise<TableMaintained>;
  };
  lab.nowMs = Date.now() + 20 * DAY_MS;
  await expect(vacuum()).rejects.toMatchObject({ type: 'BACKUP_UNKNOWN' });
  // The newest backup is older than the tombstones: what they name is not in any backup since.
  const seal = (at: number) =>
    new BackupStore(backup).seal({
      ...{ id: new Date(at).toISOString().replaceAll(':', ''), at: new Date(at).toISOString() },
      ...{ lake: lab.deps.lake.uri, tables: [], extras: [] },
    });
  await seal(Date.now() - DAY_MS);
  expect((await vacuum()).figures).toMatchObject({ deleted: 0 });
  await expect(vacuum(8 * 24)).rejects.toMatchObject({
    type: 'BACKUP_OUTDATED',
    message: expect.stringContaining('datalab backup create') as unknown,
  });
  await seal(lab.nowMs - 8 * DAY_MS);
  expect(Number((await vacuum(8 * 24 + 1)).figures['deleted'])).toBeGreaterThan(0);
});
