/** The Delta layer on the real gateway: answers that mean nothing, answers that are lost, histories of many writers. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import type { ObjectStore } from '../../src/delta/index.js';
import { history, MISFORTUNES, play, withoutFaults } from '../support/delta-history.js';
import { deltaLab } from '../support/delta-lab.js';
import { S3Proxy, type Hook, type Intervention } from '../support/s3-proxy.js';
import { testStack, type TestStack } from '../support/stack.js';
import { seedOf } from '../support/seed.js';

const lab = deltaLab();
let stack: TestStack;
let proxy: S3Proxy;
beforeAll(async () => {
  stack = await testStack('s3');
  proxy = await S3Proxy.start(stack.s3.endpoint);
});
afterAll(() => proxy.stop());
beforeEach(() => {
  proxy.hook = () => undefined;
});

function storeAt(prefix: string, endpoint = stack.s3.endpoint): ObjectStore {
  const { region, accessKeyId, secretAccessKey, bucket } = stack.s3;
  return openObjectStore(`s3://${bucket}/delta-s3/${prefix}`, {
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    cacheDirectory: join(lab.folder, 'cache'),
    cacheBytes: 1e8,
  });
}

const commitOf = (version: number): RegExp =>
  new RegExp(`/_delta_log/${String(version).padStart(20, '0')}\\.json$`);
const one = (n: number): { sql: string } => ({ sql: `SELECT ${n} AS n` });
const ns = async (store: ObjectStore): Promise<number[]> =>
  (await lab.rows(lab.table(store), 'n')).map(({ n }) => Number(n));

describe('a commit', () => {
  /** Answers to the writes of version 1, in order; then the gateway's own. */
  const script = (
    moment: 'before' | 'after',
    ...answers: Intervention[]
  ): { readonly hook: Hook; seen: () => number } => {
    let writes = 0;
    return {
      seen: () => writes,
      hook: ({ method, path }, when) => {
        if (method !== 'PUT' || !commitOf(1).test(path) || when !== moment) return undefined;
        writes += 1;
        return answers.shift();
      },
    };
  };

  test('409 decides nothing: it is tried again, at the same version', async () => {
    const prefix = randomUUID();
    await lab.table(storeAt(prefix)).append(one(0));
    const conflict = { status: 409, code: 'ConditionalRequestConflict' };
    const { hook, seen } = script('before', conflict, conflict);
    proxy.hook = hook;
    expect(await lab.table(storeAt(prefix, proxy.endpoint)).append(one(1))).toMatchObject({ version: 1 });
    expect(seen()).toBe(3);
    expect(await ns(storeAt(prefix))).toEqual([0, 1]);
  });

  test('412 for a version that somebody else took: ours goes above it', async () => {
    const prefix = randomUUID();
    await lab.table(storeAt(prefix)).append(one(0));
    let first = true;
    proxy.hook = async ({ method, path }, when) => {
      if (method !== 'PUT' || !commitOf(1).test(path) || when !== 'before' || !first) return;
      first = false;
      await lab.table(storeAt(prefix)).append(one(2));
    };
    expect(await lab.table(storeAt(prefix, proxy.endpoint)).append(one(1))).toMatchObject({ version: 2 });
    expect(await ns(storeAt(prefix))).toEqual([0, 1, 2]);
  });

  test.each<[string, Intervention]>([
    ['a broken connection', 'drop'],
    ['503', { status: 503, code: 'SlowDown' }],
    ['500', { status: 500, code: 'InternalError' }],
  ])(
    '%s after it was made: the client repeats it, meets its own object (412), and knows it',
    async (_, answer) => {
      const prefix = randomUUID();
      await lab.table(storeAt(prefix)).append(one(0));
      const { hook, seen } = script('after', answer);
      proxy.hook = hook;
      expect(await lab.table(storeAt(prefix, proxy.endpoint)).append(one(1))).toMatchObject({
        status: 'committed',
        version: 1,
      });
      expect(seen()).toBe(2);
      expect(await ns(storeAt(prefix))).toEqual([0, 1]);
      expect((await lab.table(storeAt(prefix)).snapshot()).version).toBe(1);
    },
  );
});

test('every history is what its landed operations give one after the other', async () => {
  const struck = new Set<string>();
  await fc.assert(
    fc.asyncProperty(history, (some) => play(lab, storeAt(randomUUID()), some, { struck })),
    { seed: seedOf(23), numRuns: 4 },
  );
  expect([...struck].sort()).toEqual(MISFORTUNES);
});

test('the same where the gateway’s own answers to commits are errors, or are lost', async () => {
  const answers: ReadonlyArray<readonly ['before' | 'after', Intervention]> = [
    ['before', { status: 409, code: 'ConditionalRequestConflict' }],
    ['before', { status: 503, code: 'SlowDown' }],
    ['before', 'drop'],
    ['after', { status: 503, code: 'SlowDown' }],
    ['after', 'drop'],
  ];
  const given = new Set<unknown>();
  let exists = 0;
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.array(fc.option(fc.constantFrom(...answers), { nil: undefined }), { minLength: 10, maxLength: 30 }),
      async (some, drawn) => {
        const pending = [...drawn];
        let next: (typeof drawn)[number];
        proxy.hook = ({ method, path }, moment, status) => {
          if (method !== 'PUT' || !/\/_delta_log\/\d{20}\.json$/.test(path)) return undefined;
          if (moment === 'before') next = pending.shift();
          else if (status === 412) exists += 1;
          if (next?.[0] !== moment) return undefined;
          given.add(next);
          return next[1];
        };
        await play(lab, storeAt(randomUUID(), proxy.endpoint), withoutFaults(some));
      },
    ),
    { seed: seedOf(23), numRuns: 4 },
  );
  expect(given.size).toBe(answers.length);
  // Own objects after lost answers, and those of others.
  expect(exists).toBeGreaterThan(0);
});
