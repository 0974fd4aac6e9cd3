/** `docs/reference/flows.md`: its inputs are accepted, and it names the flows, queues, outcomes and keys that there are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TASK_QUEUES, SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../../src/contracts/flows.js';
import { parseInput } from '../../src/workflows/input.js';
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
    for (const key of ['dataset', 'logicalTime', 'options.rebuild']) expect(page).toContain(`| \`${key}\``);
  });

  it('names every workflow type, and starts one where it runs', () => {
    for (const type of WORKFLOW_TYPES) expect(page).toContain(`## ${type}`);
    const command = startCommand();
    const value = (name: string): string | undefined => command[command.indexOf(name) + 1];
    expect(WORKFLOW_TYPES).toContain(value('--type'));
    expect(value('--task-queue')).toBe(TASK_QUEUES.flows);
    expect(parseInput(JSON.parse(value('--input') ?? ''))).toMatchObject({ dataset: 'stocks' });
  });

  it('names every search attribute', () => {
    for (const { name } of Object.values(SEARCH_ATTRIBUTES)) expect(page).toContain(`\`${name}\``);
  });
});
