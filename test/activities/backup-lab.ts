/** A lake that real runs made, with a place for its backups, and the activities of a backup as the workflow calls them. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ActivityDeps } from '../../src/activities/deps.js';
import { createMaintenanceActivities } from '../../src/activities/maintenance/index.js';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { BackupActivities, BackupFigures, BackupInput, Checked } from '../../src/contracts/backup.js';
import type { MaintenanceRun } from '../../src/contracts/lake-maintenance.js';
import type { ObjectStore } from '../../src/delta/index.js';
import { Lab } from './lab.js';

export const TABLES = ['bronze/sales', 'silver/sales', 'gold/totals', 'gold/sizes', 'quarantine/sales'];

export class BackupLab {
  readonly lab: Lab;
  readonly store: ObjectStore;
  #runs = 0;

  constructor({ deps, backup }: { deps?: Partial<ActivityDeps>; backup?: ObjectStore } = {}) {
    this.lab = new Lab({ lake: 'folder', ...(deps && { deps: () => deps }) });
    this.lab.nowMs = Date.now();
    this.store = backup ?? new LocalObjectStore(this.folder('backup'));
  }

  folder(name: string): string {
    return path.join(this.lab.folder, name);
  }

  call<Name extends keyof BackupActivities>(
    name: Name,
    ...args: Parameters<BackupActivities[Name]>
  ): ReturnType<BackupActivities[Name]> {
    const activities = createMaintenanceActivities({
      ...this.lab.deps,
      backup: this.store,
      openStore: (uri) => new LocalObjectStore(new URL(uri).pathname),
      extras: async () => ({
        files: [
          { key: 'datasets/sales/dataset.yaml', localPath: this.folder('datasets/sales/dataset.yaml') },
        ],
        problems: [],
      }),
      runningDatasets: async () => new Set(),
      datasetNames: async () => ['sales'],
    });
    const logger = new DefaultLogger('ERROR');
    const environment = new MockActivityEnvironment({ activityType: name }, { logger });
    const go = environment.run.bind(environment) as (...all: unknown[]) => Promise<unknown>;
    return go(activities[name], ...args) as ReturnType<BackupActivities[Name]>;
  }

  newRun(): MaintenanceRun {
    return {
      ...{ runId: `backup-${++this.#runs}`, workflowId: 'datalab-backup', dryRun: false, tables: null },
      at: new Date((this.lab.nowMs += 1000)).toISOString(),
    };
  }

  /** Runs with a good and a refused row each. */
  async someRuns(count = 3): Promise<void> {
    for (let number = 1; number <= count; number += 1) {
      this.lab.source(`${number}.csv`, `${number},name${number},${number}`, `${100 + number},bad,-1`);
      await this.lab.run();
    }
  }

  /** As the workflow does it. Returns what had to be copied. */
  async create(): Promise<{ id: string; copied: number; run: MaintenanceRun }> {
    const run = this.newRun();
    const tables = await this.call('beginBackup', run);
    const figures: BackupFigures[] = [];
    for (let place = 0; place < tables; place += 1) figures.push(await this.call('backUpTable', run, place));
    figures.push(await this.call('sealBackup', run));
    const { backup } = await this.call('chooseBackup', run, { task: 'verify' });
    return { id: backup, copied: figures.reduce((sum, one) => sum + one.copiedObjects, 0), run };
  }

  /** What a dry run says that a backup would copy. */
  async plan(): Promise<BackupFigures> {
    const run = { ...this.newRun(), dryRun: true };
    const tables = await this.call('beginBackup', run);
    const sum = { tables: 0, objects: 0, bytes: 0, copiedObjects: 0, copiedBytes: 0 };
    for (let place = 0; place < tables; place += 1) {
      const figures = await this.call('backUpTable', run, place);
      for (const key of Object.keys(sum) as Array<keyof BackupFigures>) sum[key] += figures[key];
    }
    return sum;
  }

  /** The work for each table of the backup that the input chooses; the problems of all. */
  async each(
    input: BackupInput,
    work: (run: MaintenanceRun, backup: string, table: string) => Promise<BackupFigures | Checked>,
  ): Promise<string[]> {
    const run = this.newRun();
    const { backup, tables } = await this.call('chooseBackup', run, input);
    const problems: string[] = [];
    for (const table of tables) {
      const done = await work(run, backup, table);
      if ('problems' in done) problems.push(...done.problems);
    }
    return problems;
  }

  async restore(): Promise<void> {
    await this.each({ task: 'restore' }, (run, backup, table) =>
      this.call('restoreTable', run, backup, table, null),
    );
  }

  async verify(): Promise<string[]> {
    const found = await this.each({ task: 'verify' }, (...args) => this.call('verifyTable', ...args));
    const run = this.newRun();
    const { backup } = await this.call('chooseBackup', run, { task: 'verify' });
    return [...found, ...(await this.call('verifyExtras', run, backup)).problems];
  }

  rowSets(): Promise<object[][]> {
    return Promise.all(TABLES.map((name) => this.lab.rows(name, '*', 'ORDER BY ALL')));
  }

  /** Files that a backup in a folder keeps. */
  objects(): string[] {
    return readdirSync(this.folder('backup/objects'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
  }

  /** Some of a log's life in Silver: a rewrite, a delete, and a checkpoint that the later commit stands on. */
  async someLife(): Promise<void> {
    const silver = this.lab.table('silver/sales');
    await silver.optimize();
    await silver.delete({ where: 'id = 2' });
    await silver.checkpoint();
    await silver.append({ rows: [{ id: 77, name: 'Ä', amount: 0.5 }] });
  }

  /** Takes every object of the lake away. Returns how many there were. */
  async deleteLake(): Promise<number> {
    const keys: string[] = [];
    for await (const { key } of this.lab.deps.lake.list('')) keys.push(key);
    await this.lab.deps.lake.delete(keys);
    return keys.length;
  }

  close(): void {
    this.lab.close();
  }
}
