/** Waiting for a group's coordinator: what is tried again, for how long, and what is not. */
import { KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { whenCoordinatorIsReady } from '../../src/connectors/sources/coordinator.js';
import { DatalabError } from '../../src/contracts/errors.js';

const refused = (type: string): DatalabError => {
  const cause = Object.assign(new KafkaJSProtocolError(new Error(type)), { type });
  return new DatalabError('SOURCE_UNREACHABLE', `kafka://orders/1: ${type}`, { cause });
};

/** Work that fails with each of the errors, one a call, then gives the number of its calls. */
function failing(...errors: unknown[]): {
  readonly calls: () => number;
  readonly work: () => Promise<number>;
} {
  let calls = 0;
  const work = (): Promise<number> => {
    const error = errors[calls++];
    return error === undefined ? Promise.resolve(calls) : Promise.reject(error as Error);
  };
  return { calls: () => calls, work };
}

describe('waiting for the coordinator of a group', () => {
  it('tries again while it loads, is chosen, or has moved', async () => {
    const { work } = failing(
      refused('GROUP_LOAD_IN_PROGRESS'),
      refused('GROUP_COORDINATOR_NOT_AVAILABLE'),
      refused('NOT_COORDINATOR_FOR_GROUP'),
    );
    expect(await whenCoordinatorIsReady(60_000, work)).toBe(4);
  });

  it('sees the reason beneath the retries of the client', async () => {
    const inner = Object.assign(new KafkaJSProtocolError(new Error('loading')), {
      type: 'GROUP_LOAD_IN_PROGRESS',
    });
    const outer = Object.assign(new KafkaJSNumberOfRetriesExceeded(inner, { retryCount: 3, retryTime: 1 }), {
      type: undefined,
      cause: inner,
    });
    expect(await whenCoordinatorIsReady(60_000, failing(outer).work)).toBe(2);
  });

  it('gives the last refusal when the time is over', async () => {
    const last = refused('GROUP_LOAD_IN_PROGRESS');
    let calls = 0;
    const work = (): Promise<never> => {
      calls++;
      return Promise.reject(last);
    };
    await expect(whenCoordinatorIsReady(500, work)).rejects.toBe(last);
    expect(calls).toBeGreaterThanOrEqual(2);
    expect(calls).toBeLessThanOrEqual(3);
  });

  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'GROUP_AUTHORIZATION_FAILED'])(
    'does not wait for %s',
    async (type) => {
      const error = refused(type);
      const { calls, work } = failing(error);
      await expect(whenCoordinatorIsReady(60_000, work)).rejects.toBe(error);
      expect(calls()).toBe(1);
    },
  );

  it('ends when it is cancelled between two tries', async () => {
    const cancel = new AbortController();
    const { calls, work } = failing(refused('GROUP_LOAD_IN_PROGRESS'));
    const waiting = whenCoordinatorIsReady(
      60_000,
      () => {
        queueMicrotask(() => cancel.abort());
        return work();
      },
      cancel.signal,
    );
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(calls()).toBe(1);
  });
});
