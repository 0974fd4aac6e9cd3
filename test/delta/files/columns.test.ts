/** Live files in columns against a plain map, under every spelling of a path and with vectors; texts that went to disk. */
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action, AddFile, DeletionVector } from '../../../src/delta/index.js';
import { FileColumns } from '../../../src/delta/files/file-columns.js';
import { LiveFiles } from '../../../src/delta/files/live-files.js';
import { SpilledTexts } from '../../../src/delta/files/spilled-texts.js';
import { canonicalPath, vectorId } from '../../../src/delta/path.js';
import { applyCommits, Replay } from '../../../src/delta/replay.js';
import { seedOf } from '../../support/seed.js';

/** Several spellings of few files, so that they meet. */
const path = fc.constantFrom(
  ...[
    'a',
    'b',
    'c d',
    'c%20d',
    'c%2520d',
    '/x',
    'file:/x',
    'file:///x',
    'file:%2Fx',
    'p=1/a',
    'ü',
    '%C3%BC',
    '100%',
    '',
  ],
);
const vector = fc.option(
  fc.record<DeletionVector>({
    storageType: fc.constant('i'),
    pathOrInlineDv: fc.constantFrom('1', '2'),
    sizeInBytes: fc.constant(1),
    cardinality: fc.constant(1),
  }),
  { nil: undefined },
);
const add: fc.Arbitrary<Action> = fc
  .record({
    path,
    partitionValues: fc.constantFrom({}, { p: '1' }, { p: null }),
    size: fc.integer({ min: 0, max: 2 ** 50 }),
    modificationTime: fc.integer({ min: -1, max: 2 ** 42 }),
    dataChange: fc.boolean(),
    stats: fc.constantFrom(undefined, '', '{"numRecords":1}', '{"minValues":{"s":"ü😀"}}'),
    deletionVector: vector,
    tags: fc.constantFrom(undefined, { t: '1' }),
  })
  .map((drawn) => ({ add: JSON.parse(JSON.stringify(drawn)) as AddFile }));
const remove: fc.Arbitrary<Action> = fc
  .record({ path, dataChange: fc.constant(true), deletionVector: vector })
  .map(({ deletionVector, ...rest }) => ({
    remove: { ...rest, ...(deletionVector ? { deletionVector } : {}) },
  }));
const commits = fc.array(fc.array(fc.oneof(add, add, remove), { maxLength: 6 }), { maxLength: 12 });

/** What the protocol says, on a plain map. */
function model(log: readonly (readonly Action[])[]): Map<string, AddFile> {
  const files = new Map<string, AddFile>();
  for (const actions of log) {
    for (const action of actions) {
      if (!('remove' in action)) continue;
      const key = canonicalPath(action.remove.path);
      const live = files.get(key);
      if (live && vectorId(live.deletionVector) === vectorId(action.remove.deletionVector)) files.delete(key);
    }
    for (const action of actions) if ('add' in action) files.set(canonicalPath(action.add.path), action.add);
  }
  return files;
}

const sorted = (files: Iterable<AddFile>): AddFile[] =>
  [...files].sort((a, b) => (canonicalPath(a.path) < canonicalPath(b.path) ? -1 : 1));

test.each([
  ['from columns alone', 0],
  ['from objects that are kept', 10_000],
  ['from some of each', 3],
])('live files are those of the protocol, %s, whatever was read at once and what came later', (_, kept) => {
  fc.assert(
    fc.property(commits, fc.nat({ max: 12 }), (log, at) => {
      const columns = new FileColumns(tmpdir(), kept);
      const replay = new Replay(columns);
      for (const actions of log.slice(0, at)) replay.apply(actions);
      const first = replay.done(new LiveFiles(columns));
      const before = sorted(model(log.slice(0, at)).values());
      const state = applyCommits(first, log.slice(at));
      const { files } = state;
      const wanted = model(log);
      expect(sorted(files)).toEqual(sorted(wanted.values()));
      expect(files).toHaveLength(wanted.size);
      expect([...files.paths()].sort()).toEqual([...wanted.values()].map((file) => file.path).sort());
      expect(files.bytes).toBe([...wanted.values()].reduce((sum, { size }) => sum + BigInt(size), 0n));
      for (const actions of log)
        for (const action of actions) {
          const { path: some } =
            'add' in action ? action.add : 'remove' in action ? action.remove : { path: '' };
          expect(files.find(some)).toEqual(wanted.get(canonicalPath(some)));
        }
      // The earlier state is what it was.
      expect(sorted(first.files)).toEqual(before);
    }),
    { seed: seedOf(31), numRuns: 300 },
  );
});

test('columns that grow keep every file, and spread into an action as they are', () => {
  const columns = new FileColumns(tmpdir(), 0);
  const file = (n: number): AddFile => ({
    ...{ path: `part-${n}.parquet`, partitionValues: { p: String(n % 7) }, size: n, modificationTime: 2 * n },
    ...{ dataChange: n % 2 === 0, stats: `{"numRecords":${n}}` },
  });
  for (let n = 0; n < 30_000; n += 1) columns.add(file(n));
  for (let n = 0; n < 30_000; n += 3) columns.remove(`part-${n}.parquet`, undefined);
  const files = new LiveFiles(columns);
  expect(files).toHaveLength(20_000);
  expect(files.find('part-0.parquet')).toBeUndefined();
  expect(files.find('part-29999.parquet')).toEqual(file(29_999));
  expect(files.at(0)).toEqual(file(1));
  expect(files.at(-1)).toEqual(file(29_999));
  expect(files.at(20_000)).toBeUndefined();
  const [one] = files;
  expect(JSON.parse(JSON.stringify({ ...one, dataChange: true }))).toEqual({ ...file(1), dataChange: true });
});

describe('texts that go to disk', () => {
  test('are found again in any order, those at the border too', () => {
    const texts = new SpilledTexts(tmpdir());
    const text = (n: number): string => `${n}:${'ü'.repeat(n % 700)}`;
    const places = Array.from({ length: 40_000 }, (_, n) => texts.add(text(n)));
    const long = 'x'.repeat(9 << 20);
    const last = texts.add(long);
    const bytes = Buffer.from('before, within, after');
    const part = texts.addBytes(bytes, 8, 14);
    for (const n of [0, 39_999, 7, 20_000, 20_001, 39_998, 1]) {
      const { address = 0, bytes: length = 0 } = places[n] ?? {};
      expect(texts.text(address, length)).toBe(text(n));
    }
    expect(texts.text(last.address, last.bytes) === long).toBe(true);
    expect(texts.text(part, 6)).toBe('within');
    places.forEach(({ address, bytes: length }, n) => {
      if (texts.text(address, length) !== text(n)) expect.fail(`text ${n} is another`);
    });
  });
});
