/** When a derived table is computed again, and what is said of it. */
import { describe, expect, it } from 'vitest';
import { fingerprintOf, stalenessOf, type DerivedTable } from '../../src/medallion/staleness.js';

const CURRENT: DerivedTable = {
  existing: { fingerprint: 'f', consumedVersion: 3 },
  upstreamVersion: 3,
  fingerprint: 'f',
  forced: false,
};

describe('stalenessOf', () => {
  it('is current where the upstream and the definition are those that it was made from', () => {
    expect(stalenessOf(CURRENT)).toEqual({ state: 'current' });
  });

  it('is stale where there is no table, and where the upstream has moved on', () => {
    expect(stalenessOf({ ...CURRENT, existing: null })).toEqual({ state: 'stale' });
    expect(stalenessOf({ ...CURRENT, existing: null, forced: true })).toEqual({ state: 'stale' });
    expect(stalenessOf({ ...CURRENT, upstreamVersion: 4 })).toEqual({ state: 'stale' });
  });

  it.each([
    ['it was asked for', { forced: true }],
    ['its definition is another', { fingerprint: 'g' }],
    ['nobody knows its definition', { existing: { fingerprint: undefined, consumedVersion: 3 } }],
    ['the upstream is another table', { existing: { fingerprint: 'f', consumedVersion: undefined } }],
    ['the upstream went back', { upstreamVersion: 2 }],
  ])('is rebuilt where %s, with a reason of its own', (_why, change) => {
    const answer = stalenessOf({ ...CURRENT, ...change });
    expect(answer).toMatchObject({ state: 'rebuild', reason: expect.stringMatching(/\w+/) as string });
  });

  it('gives four reasons that can be told apart', () => {
    const reasons = [
      { forced: true },
      { fingerprint: 'g' },
      { existing: { fingerprint: 'f', consumedVersion: undefined } },
      { upstreamVersion: 2 },
    ].map((change) => JSON.stringify(stalenessOf({ ...CURRENT, ...change })));
    expect(new Set(reasons).size).toBe(4);
  });

  it('counts version 0 as consumed', () => {
    const existing = { fingerprint: 'f', consumedVersion: 0 };
    expect(stalenessOf({ ...CURRENT, existing, upstreamVersion: 0 })).toEqual({ state: 'current' });
  });
});

describe('fingerprintOf', () => {
  it('does not hang on the order of keys, at any depth', () => {
    expect(fingerprintOf({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(fingerprintOf({ b: [{ d: 3, c: 2 }], a: 1 }));
  });

  it('hangs on everything else', () => {
    const texts = [[], [1, 2], [2, 1], ['1', 2], { a: 1 }, { a: null }, { a: { b: 1 } }, 'a', ''];
    expect(new Set(texts.map(fingerprintOf)).size).toBe(texts.length);
    for (const text of texts) expect(fingerprintOf(text)).toMatch(/^[0-9a-f]{64}$/);
  });
});
