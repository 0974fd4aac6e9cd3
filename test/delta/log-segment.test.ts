import { describe, expect, test } from 'vitest';
import { classify, monotonicTimes, segmentsFor, type LogListing } from '../../src/delta/log-segment.js';

const UUID = '80a083e8-7026-4e79-81be-64bd76c43a11';

/** A log from short names: `3`, `3c` (classic), `3u` (V2), `3.1/2` (part 1 of 2). */
function layout(text: string): LogListing {
  const keys = text.split(' ').map((name) => {
    const version = String(Number.parseInt(name, 10)).padStart(20, '0');
    const part = /\.(\d+)\/(\d+)$/.exec(name);
    const number = (digits = ''): string => digits.padStart(10, '0');
    if (part) return `${version}.checkpoint.${number(part[1])}.${number(part[2])}.parquet`;
    if (name.endsWith('c')) return `${version}.checkpoint.parquet`;
    if (name.endsWith('u')) return `${version}.checkpoint.${UUID}.parquet`;
    return `${version}.json`;
  });
  return classify(keys.map((key) => ({ key: `_delta_log/${key}`, sizeBytes: 1, modifiedMs: 0 })));
}

/** Each way as `checkpoint+commits`. */
function ways(text: string, at?: number): string[] {
  return segmentsFor(layout(text), 'here', at).map(
    ({ checkpoint, commits }) =>
      `${checkpoint ? `${checkpoint.version}${checkpoint.form}` : '-'}+${commits.map((c) => c.version).join(',')}`,
  );
}

describe('the ways to build a version', () => {
  test.each([
    ['0', undefined, ['-+0']],
    ['0 1 2', undefined, ['-+0,1,2']],
    ['0 1 2', 1, ['-+0,1']],
    ['0 1 1c 2', undefined, ['1classic+2', '-+0,1,2']],
    ['0 1 1c 2', 0, ['-+0']],
    ['0 1 1c 2', 1, ['1classic+', '-+0,1']],
    // The commits below a checkpoint are cleaned away.
    ['10c 11 12', undefined, ['10classic+11,12']],
    ['10c', undefined, ['10classic+']],
    // A hole below the checkpoint does no harm.
    ['0 1 3 3c 4', undefined, ['3classic+4']],
    // Parts count only when they are all there.
    ['0 1 1.1/2 2', undefined, ['-+0,1,2']],
    ['0 1 1.1/2 1.2/2 2', undefined, ['1multipart+2', '-+0,1,2']],
    ['0 1 1.1/2 1.2/2 1c 1u 2', undefined, ['1uuid+2', '1classic+2', '1multipart+2', '-+0,1,2']],
    ['0 1 1.1/3 1.2/2 1.1/2', undefined, ['1multipart+', '-+0,1']],
    ['0 1 2 1c 2u', undefined, ['2uuid+', '1classic+2', '-+0,1,2']],
  ])('%s at %s', (text, at, expected) => {
    expect(ways(text, at)).toEqual(expected);
  });

  test.each([
    ['0 2', undefined, 'DELTA_LOG_INVALID', /lacks commit 1/],
    ['1 2', undefined, 'DELTA_LOG_INVALID', /lacks commit 0/],
    ['10c 12', undefined, 'DELTA_LOG_INVALID', /lacks commit 11/],
    ['10c 11', 9, 'DELTA_VERSION_NOT_FOUND', /lacks commit 0/],
    ['0 1', 2, 'DELTA_VERSION_NOT_FOUND', /no version 2; the newest is 1/],
    ['0 1', -1, 'DELTA_VERSION_NOT_FOUND', /no version -1/],
  ])('%s at %s is refused', (text, at, code, message) => {
    expect(() => ways(text, at)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  test('an empty log is no table', () => {
    expect(() => segmentsFor(classify([]), 'here')).toThrow(/no Delta table at here/);
  });
});

test('commit times never stand still', () => {
  const commits = [5, 5, 4, 9].map((modifiedMs, version) => ({ version, key: '', modifiedMs }));
  expect([...monotonicTimes(commits).values()]).toEqual([5, 6, 7, 9]);
});
