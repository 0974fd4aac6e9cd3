/** Recorded histories of every workflow replay on the code of today; a history that was tampered with does not. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { WORKFLOW_TYPES } from '../../src/contracts/flows.js';
import { workflowBundle } from '../support/workflow-bundle.js';

interface RecordedHistory {
  events: Array<{
    workflowExecutionStartedEventAttributes?: { workflowType: { name: string } };
    activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  }>;
}

const folder = new URL('../histories/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string): RecordedHistory =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as RecordedHistory;
const typeOf = (history: RecordedHistory): string | undefined =>
  history.events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name;

async function replay(history: RecordedHistory): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle(), replayName: 'test' }, history);
}

describe('recorded histories', () => {
  beforeAll(() => Runtime.install({ logger: new DefaultLogger('ERROR') }));

  it.each(names)('%s replays', async (name) => {
    await expect(replay(read(name))).resolves.toBeUndefined();
  });

  it('cover every workflow type', () => {
    const covered = new Set(names.map((name) => typeOf(read(name))));
    expect(WORKFLOW_TYPES.filter((type) => !covered.has(type))).toEqual([]);
  });

  it('do not replay when an activity in them is another', async () => {
    const history = read(names[0] ?? '');
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes);
    if (!scheduled?.activityTaskScheduledEventAttributes) throw new Error('the history has no activity');
    scheduled.activityTaskScheduledEventAttributes.activityType.name = 'somethingElse';
    await expect(replay(history)).rejects.toThrow(/nondeterminism/i);
  });
});

describe('the workflow bundle', () => {
  it('refuses workflow code that reaches for the network', async () => {
    const workflowsPath = fileURLToPath(new URL('../support/impure-workflow.ts', import.meta.url));
    const said: string[] = [];
    const logger = new DefaultLogger('ERROR', ({ message }) => said.push(message));
    await expect(bundleWorkflowCode({ workflowsPath, logger })).rejects.toThrow();
    expect(said.join('\n')).toContain('dns');
  });
});
