/** `docs/reference/flows.md`: its inputs are accepted, and it names the flows, queues, outcomes and keys that there are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TASK_QUEUES, SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../../src/contracts/flows.js';
import { TABLE_OPERATIONS } from '../../src/contracts/table-maintenance.js';
import { parseBackup } from '../../src/workflows/backup-input.js';
import { BACKUP_TASKS } from '../../src/contracts/backup.js';
import { parseBackfill } from '../../src/workflows/backfill-input.js';
import { parseInput } from '../../src/workflows/input.js';
import { parseLakeMaintenance } from '../../src/workflows/maintenance-input.js';
import { parseReplay } from '../../src/workflows/replay-input.js';
import { parseTableMaintenance } from '../../src/workflows/table-input.js';
import { parseDeployment, parseModelWatch, parseTraining } from '../../src/workflows/training-input.js';
import { examples, startCommand } from '../support/flows-page.js';

const page = readFileSync(new URL('../../docs/reference/flows.md', import.meta.url), 'utf8');

describe('the page of flows', () => {
  it('shows inputs that the flow accepts, the whole of it among them', () => {
    const inputs = examples('input');
    expect(inputs.length).toBeGreaterThan(1);
    const parsed = inputs.map(parseInput);
    expect(new Set(parsed.flatMap(Object.keys))).toEqual(new Set(['dataset', 'logicalTime', 'options']));
    expect(parsed.some(({ options }) => options?.rebuild === true)).toBe(true);
  });

  it('explains every key of the input', () => {
    for (const key of ['dataset', 'logicalTime', 'options.rebuild', 'options.quiet'])
      expect(page).toContain(`| \`${key}\``);
  });

  it('names every workflow type, and starts one where it runs', () => {
    for (const type of WORKFLOW_TYPES) expect(page).toContain(`## ${type}`);
    const command = startCommand();
    const value = (name: string): string | undefined => command[command.indexOf(name) + 1];
    expect(WORKFLOW_TYPES).toContain(value('--type'));
    expect(value('--task-queue')).toBe(TASK_QUEUES.flows);
    expect(parseInput(JSON.parse(value('--input') ?? ''))).toMatchObject({ dataset: 'stocks' });
  });

  it('shows maintenance that the flow accepts, and every operation and option of it', () => {
    const inputs = examples('maintenance').map(parseTableMaintenance);
    expect(inputs.length).toBeGreaterThan(1);
    for (const operation of TABLE_OPERATIONS) expect(page).toContain(`| \`${operation}\``);
    for (const bad of [
      { table: 'stocks', task: { operation: 'optimize' } },
      { table: 'silver.stocks', task: { operation: 'tidy' } },
      { table: 'silver.stocks', task: { operation: 'vacuum', retention: 1 } },
      { table: 'silver.stocks', task: { operation: 'restore' } },
      { table: 'silver.stocks', task: { operation: 'restore', version: 1, time: '2026-11-24T06:00:00Z' } },
    ])
      expect(() => parseTableMaintenance(bad)).toThrow('tableMaintenance takes');
  });

  it('shows a replay that the flow accepts, and every key of it', () => {
    const [whole] = examples('replay').map(parseReplay);
    for (const key of ['dataset', 'rule', 'source', 'logicalTime']) {
      expect(whole).toHaveProperty(key);
      expect(page).toContain(`| \`${key}\``);
    }
    for (const bad of [{}, { dataset: 'stocks', rules: 'x' }, { dataset: 'stocks', rule: '' }])
      expect(() => parseReplay(bad)).toThrow('quarantineReplay takes');
  });

  it('shows maintenance of the lake that the flow accepts, and every key of it', () => {
    const [whole] = examples('lake-maintenance').map(parseLakeMaintenance);
    for (const key of ['dryRun', 'tables']) {
      expect(whole).toHaveProperty(key);
      expect(page).toContain(`| \`${key}\``);
    }
    expect(parseLakeMaintenance(undefined)).toEqual({});
    for (const bad of [{ dryrun: true }, { dryRun: 'yes' }, { tables: [] }, { tables: ['stocks'] }])
      expect(() => parseLakeMaintenance(bad)).toThrow('lakeMaintenance takes');
  });

  it('shows backups that the flow accepts, and every task', () => {
    expect(examples('backup').map(parseBackup)).toHaveLength(3);
    for (const task of BACKUP_TASKS) expect(page).toMatch(new RegExp(`\\| \`${task}\``));
    for (const bad of [
      undefined,
      { task: 'delete' },
      { task: 'verify', table: 'silver.stocks' },
      { task: 'restore', version: 1 },
      { task: 'restore', table: 'stocks' },
      { task: 'restore', into: '/srv' },
      { task: 'drill', backup: '../x' },
    ])
      expect(() => parseBackup(bad)).toThrow('lakeBackup takes');
  });

  it('shows a backfill that the flow accepts, and every key of it', () => {
    const [whole] = examples('backfill').map(parseBackfill);
    for (const key of Object.keys(whole ?? {})) expect(page).toMatch(new RegExp(`\\| .*\`${key}\``));
    const range = { from: '2013-03-01T00:00:00Z', to: '2013-03-02T00:00:00Z' };
    for (const bad of [
      {},
      { scheduleId: 'a', ...range, to: '2013-03-02' },
      { scheduleId: 'a', from: range.to, to: range.from },
      { scheduleId: 'a', ...range, mode: 'some' },
      { scheduleId: 'a', ...range, parallel: 11 },
      { scheduleId: 'a', ...range, dry: true },
    ])
      expect(() => parseBackfill(bad)).toThrow('scheduleBackfill takes');
  });

  it('shows trainings and deployments that the flows accept, and every key of them', () => {
    for (const example of examples('training').map(parseTraining))
      expect(Object.keys(example).sort()).toEqual(['logicalTime', 'model', 'options']);
    expect(examples('deployment').map(parseDeployment)).toHaveLength(1);
    for (const key of ['model', 'options.goldVersion', 'options.force', 'version', 'expect'])
      expect(page).toContain(`| \`${key}\``);
  });

  it('refuses what the watch of models does not take', () => {
    for (const good of [undefined, null, {}]) expect(parseModelWatch(good)).toBeUndefined();
    for (const bad of [{ model: 'm' }, 'm']) expect(() => parseModelWatch(bad)).toThrow('modelWatch takes');
  });

  it('names every search attribute', () => {
    for (const { name } of Object.values(SEARCH_ATTRIBUTES)) expect(page).toContain(`\`${name}\``);
  });
});
