/** Following a run: what fails on the way reaches the caller, and nobody else. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunHandle } from '../../src/client/index.js';

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => void process.on('unhandledRejection', note));
afterEach(() => void process.off('unhandledRejection', note));

/** A server that refuses the result at once and takes its time to describe the run. */
function refusingClient(): Client {
  const refuse = (): Promise<never> =>
    Promise.reject(new WorkflowNotFoundError('no such run', 'gone', undefined));
  const slowly = (): Promise<never> => new Promise((resolve) => setTimeout(resolve, 30)).then(refuse);
  return { workflow: { getHandle: () => ({ result: refuse, describe: slowly }) } } as unknown as Client;
}

describe('watch', () => {
  it('hands a failure that comes during a poll to the caller, and leaves no rejection without an owner', async () => {
    const handle = new RunHandle(refusingClient(), 'gone');
    await expect(handle.watch(() => undefined, 1)).rejects.toBeInstanceOf(WorkflowNotFoundError);
    expect(unhandled).toEqual([]);
  });
});
