/** What `lakeBackup` promises, on Temporal's time-skipping server. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupActivities, BackupInput, BackupSummary } from '../../src/contracts/backup.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers } from '../support/workers.js';

const ONE = { tables: 1, objects: 3, bytes: 30, copiedObjects: 1, copiedBytes: 10 };

/** A lake, and a backup of it, of so many tables. */
function scripted(total: number, overrides: Partial<BackupActivities> = {}) {
  const calls: string[] = [];
  let working = 0;
  let widest = 0;
  const work = async <Value>(name: string, value: Value): Promise<Value> => {
    working += 1;
    widest = Math.max(widest, working);
    await new Promise((resolve) => setTimeout(resolve, 5));
    working -= 1;
    calls.push(name);
    return value;
  };
  const extras = { ...ONE, tables: 0, problems: [] };
  const activities: BackupActivities = {
    beginBackup: async () => total,
    backUpTable: (_run, place) => work(`back up ${place}`, ONE),
    sealBackup: () => work('seal', extras),
    pruneBackups: () => work('prune', { backups: 1, objects: 2, bytes: 20 }),
    chooseBackup: async () => ({
      backup: 'newest',
      tables: Array.from({ length: total }, (_, place) => `silver.t${place}`),
    }),
    verifyTable: (_run, _backup, table) => work(`verify ${table}`, { ...ONE, problems: [] }),
    verifyExtras: () => work('verify extras', extras),
    restoreTable: (_run, _backup, table, into) => work(`restore ${table} into ${into ?? 'the lake'}`, ONE),
    drillTable: (_run, _backup, table) => work(`drill ${table}`, { ...ONE, problems: [] }),
    ...overrides,
  };
  return { activities, calls, width: () => widest };
}

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'lakeBackup (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    beforeAll(async () => {
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      environment = await timeSkippingEnvironment();
    }, 120_000);
    afterAll(() => environment?.teardown());

    const run = (activities: BackupActivities, input: BackupInput): Promise<BackupSummary> =>
      withWorkers(
        environment,
        { flows: {}, maintenance: activities },
        () =>
          environment.client.workflow.execute('lakeBackup', {
            ...{ workflowId: randomUUID(), taskQueue: TASK_QUEUES.flows, args: [input] },
          }) as Promise<BackupSummary>,
      );

    it('copies every table once, a few at a time, and seals only when all are copied', async () => {
      const script = scripted(9);
      const summary = await run(script.activities, { task: 'create' });
      expect(script.calls.slice(0, 9).sort()).toEqual(
        Array.from({ length: 9 }, (_, place) => `back up ${place}`),
      );
      expect(script.calls.slice(9)).toEqual(['seal', 'prune']);
      expect(script.width()).toBeLessThanOrEqual(4);
      expect(summary).toMatchObject({
        task: 'create',
        figures: { tables: 9, objects: 30, copiedObjects: 10, copiedBytes: 100 },
        pruned: { backups: 1, objects: 2, bytes: 20 },
        problems: [],
      });
      expect(summary.backup).toContain(summary.run.runId);
    });

    it('only counts in a dry run: nothing is sealed or cleaned away', async () => {
      const script = scripted(3);
      const summary = await run(script.activities, { task: 'create', dryRun: true });
      expect([...script.calls].sort()).toEqual(['back up 0', 'back up 1', 'back up 2']);
      expect(summary).toMatchObject({ run: { dryRun: true }, backup: null, figures: { copiedObjects: 3 } });
    });

    it('seals nothing where a table could not be copied', async () => {
      const script = scripted(3, {
        backUpTable: async (_run, place) => {
          if (place === 1)
            throw ApplicationFailure.nonRetryable('a file is cut short', 'BACKUP_SOURCE_DAMAGED');
          return ONE;
        },
      });
      await expect(run(script.activities, { task: 'create' })).rejects.toMatchObject({
        cause: { cause: { type: 'BACKUP_SOURCE_DAMAGED' } },
      });
      expect(script.calls).not.toContain('seal');
    });

    it('is made where only the old ones could not be cleaned away, and says so', async () => {
      const script = scripted(1, {
        pruneBackups: async () => {
          throw ApplicationFailure.nonRetryable('a manifest cannot be read', 'BACKUP_DAMAGED');
        },
      });
      const { problems, figures } = await run(script.activities, { task: 'create' });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain('old backups stay');
      expect(figures.tables).toBe(1);
    });

    it('fails a verify that found something with every file that it is about', async () => {
      const script = scripted(3, {
        verifyTable: async (_run, _backup, table) => ({
          ...ONE,
          problems: table === 'silver.t1' ? ['silver.t1/part.parquet: its copy is missing'] : [],
        }),
        verifyExtras: async () => ({ ...ONE, problems: ['project/datalab.yaml: its copy is missing'] }),
      });
      await expect(run(script.activities, { task: 'verify' })).rejects.toMatchObject({
        cause: {
          type: 'BACKUP_DAMAGED',
          message: expect.stringMatching(/silver\.t1\/part\.parquet.*datalab\.yaml/) as unknown,
        },
      });
    });

    it('restores into the lake that it is told, and drills what it is given', async () => {
      const script = scripted(2);
      const restored = await run(script.activities, { task: 'restore', into: 'file:///other' });
      expect(script.calls.sort()).toEqual([
        'restore silver.t0 into file:///other',
        'restore silver.t1 into file:///other',
      ]);
      expect(restored).toMatchObject({ backup: 'newest', figures: { tables: 2 } });
      const drilled = scripted(2);
      await run(drilled.activities, { task: 'drill' });
      expect(drilled.calls.sort()).toEqual(['drill silver.t0', 'drill silver.t1']);
    });

    it('refuses what it does not know before anything is touched', async () => {
      const script = scripted(1);
      const wrong = { task: 'restore', tabel: 'silver.t0' } as unknown as BackupInput;
      await expect(run(script.activities, wrong)).rejects.toMatchObject({
        cause: { type: 'INPUT_INVALID' },
      });
      expect(script.calls).toEqual([]);
    });
  },
);
