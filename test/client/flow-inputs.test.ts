/** What forms are made of is what the flows take: each input that the schema lets through, the workflow takes too. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FLOW_INPUTS, parseFlowInput, type StartableFlow } from '../../src/client/index.js';
import { WORKFLOW_TYPES } from '../../src/contracts/flows.js';
import { parseBackfill } from '../../src/workflows/backfill-input.js';
import { parseBackup } from '../../src/workflows/backup-input.js';
import { parseInput } from '../../src/workflows/input.js';
import { parseLakeMaintenance } from '../../src/workflows/maintenance-input.js';
import { parseReplay } from '../../src/workflows/replay-input.js';
import { parseTableMaintenance } from '../../src/workflows/table-input.js';
import { parseDeployment, parseModelWatch, parseTraining } from '../../src/workflows/training-input.js';

/** Flows that other flows or the platform start, never a person. */
const BY_THEMSELVES: readonly string[] = ['alertManager'];

const at = '2026-01-31T06:00:00Z';
const CASES: { readonly [Flow in StartableFlow]: { takes: (input: unknown) => unknown; inputs: object[] } } =
  {
    medallionEtl: {
      takes: parseInput,
      inputs: [
        { dataset: 'stocks' },
        {
          dataset: 'stocks',
          logicalTime: '2026-01-31T06:00:00-03:00',
          options: { rebuild: true, acceptLoss: true },
        },
      ],
    },
    quarantineReplay: {
      takes: parseReplay,
      inputs: [{ dataset: 'stocks', rule: 'bad', source: '2026', logicalTime: at }],
    },
    mlopsTraining: {
      takes: parseTraining,
      inputs: [
        { model: 'next' },
        { model: 'next', logicalTime: at, options: { goldVersion: 0, force: true } },
      ],
    },
    modelDeployment: {
      takes: parseDeployment,
      inputs: [
        { model: 'next', version: 'previous' },
        { model: 'next', version: '12', expect: null },
        { model: 'next', version: '12', expect: '3' },
      ],
    },
    modelWatch: { takes: parseModelWatch, inputs: [{}] },
    lakeMaintenance: {
      takes: parseLakeMaintenance,
      inputs: [
        {},
        { dryRun: true, tables: ['silver.stocks'] },
        { datasets: ['stocks'], only: 'fsck', repair: true },
        { only: 'audit' },
      ],
    },
    tableMaintenance: {
      takes: parseTableMaintenance,
      inputs: [
        { table: 'silver.stocks', task: { operation: 'optimize' } },
        { table: 'silver.stocks', task: { operation: 'vacuum', retentionHours: 200, dryRun: true } },
        { table: 'silver.stocks', task: { operation: 'fsck', repair: true, statistics: true } },
        { table: 'silver.stocks', task: { operation: 'restore', version: 3 } },
      ],
    },
    lakeBackup: {
      takes: parseBackup,
      inputs: [
        { task: 'create', tables: ['silver.stocks'] },
        { task: 'verify', backup: '2026-01-01T000000Z-1' },
        { task: 'drill' },
        { task: 'restore', table: 'silver.stocks', version: 3, into: 'file:///lake' },
      ],
    },
    scheduleBackfill: {
      takes: parseBackfill,
      inputs: [
        {
          scheduleId: 'daily',
          from: at,
          to: '2026-02-01T00:00:00Z',
          mode: 'failed',
          parallel: 2,
          dryRun: true,
        },
      ],
    },
    platformMonitoring: { takes: (input) => input, inputs: [{}] },
  };

describe('inputs of flows', () => {
  it('has a schema for every flow that people start', () => {
    expect([...Object.keys(FLOW_INPUTS), ...BY_THEMSELVES].sort()).toEqual([...WORKFLOW_TYPES].sort());
  });

  it.each(
    Object.entries(CASES).flatMap(([flow, { inputs }]) => inputs.map((input) => [flow, input] as const)),
  )('%s takes %j', (flow, input) => {
    const parsed = parseFlowInput(flow as StartableFlow, input);
    expect(() => CASES[flow as StartableFlow].takes(parsed)).not.toThrow();
  });

  it.each(Object.keys(FLOW_INPUTS) as StartableFlow[])('%s refuses a key that it does not know', (flow) => {
    const [input] = CASES[flow].inputs;
    expect(() => parseFlowInput(flow, { ...input, dryrun: true })).toThrow('dryrun');
  });

  it('says everything that is wrong at once', () => {
    expect(() => parseFlowInput('medallionEtl', { dataset: 'No Name', logicalTime: 'soon' })).toThrow(
      /dataset: .*logicalTime: /,
    );
  });

  it('is JSON Schema for forms', () => {
    const schema = z.toJSONSchema(FLOW_INPUTS.medallionEtl, { io: 'input' });
    expect(schema).toMatchObject({
      type: 'object',
      required: ['dataset'],
      properties: { dataset: { choices: 'datasets' }, options: { type: 'object' } },
    });
  });
});
