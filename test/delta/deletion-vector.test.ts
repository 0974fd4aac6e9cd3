/** Deletion vectors: replay by (path, vector), and the formats that hold the positions. */
import { tmpdir } from 'node:os';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import { loadDeletedRows, scanPlan, type Action, type DeletionVector } from '../../src/delta/index.js';
import { FileColumns } from '../../src/delta/files/file-columns.js';
import { LiveFiles } from '../../src/delta/files/live-files.js';
import { applyCommits, Replay } from '../../src/delta/replay.js';
import { decodeBitmapArray } from '../../src/delta/roaring.js';
import { decodeZ85 } from '../../src/delta/z85.js';
import { fakeAdd, liveFiles, NUMBERS } from '../support/table.js';

const inline = (name: string): DeletionVector => ({
  storageType: 'i',
  pathOrInlineDv: name,
  sizeInBytes: 1,
  cardinality: 1,
});
const add = (path: string, vector?: DeletionVector): Action => ({
  add: fakeAdd(path, vector ? { deletionVector: vector } : {}),
});
const remove = (path: string, vector?: DeletionVector): Action => ({
  remove: { path, dataChange: true, ...(vector ? { deletionVector: vector } : {}) },
});

/** While a log is read, and over a state that is there. */
const REPLAYS = {
  'of a log': (commits: Action[][]): LiveFiles => {
    const columns = new FileColumns(tmpdir());
    const replay = new Replay(columns);
    for (const actions of commits) replay.apply(actions);
    return new LiveFiles(columns);
  },
  'of later commits': (commits: Action[][]): LiveFiles => {
    const [first = [], ...later] = commits;
    const files = liveFiles(first.flatMap((action) => ('add' in action ? [action.add] : [])));
    return applyCommits(new Replay(files.change()).done(files), later).files;
  },
  'of commits over nothing': (commits: Action[][]): LiveFiles => {
    const files = liveFiles([]);
    return applyCommits(new Replay(files.change()).done(files), commits).files;
  },
};

describe.each(Object.entries(REPLAYS))('replay %s', (_, replay) => {
  const live = (...commits: Action[][]): Array<string | undefined> =>
    replay(commits).map((file) => file.deletionVector?.pathOrInlineDv);

  test('a file gets a new vector in one commit, whatever the order of the actions', () => {
    expect(live([add('f')], [remove('f'), add('f', inline('1'))])).toEqual(['1']);
    expect(live([add('f')], [add('f', inline('1')), remove('f')])).toEqual(['1']);
    expect(live([add('f', inline('1'))], [add('f', inline('2')), remove('f', inline('1'))])).toEqual(['2']);
  });

  test('a remove of another state of the file leaves the live one', () => {
    expect(live([add('f', inline('2'))], [remove('f', inline('1'))])).toEqual(['2']);
    expect(live([add('f', inline('2'))], [remove('f', inline('2'))])).toEqual([]);
    expect(
      live([add('f', { ...inline('2'), offset: 1 })], [remove('f', { ...inline('2'), offset: 9 })]),
    ).toEqual(['2']);
  });
});

describe('z85', () => {
  test('decodes the example of its RFC', () => {
    expect(Buffer.from(decodeZ85('HelloWorld')).toString('hex')).toBe('864fd26fb559f75b');
  });
  test('takes the padding of the Rust writers', () => {
    expect([...decodeZ85('##093')]).toEqual([3, 0]);
  });
  test.each(['abcd', '     ', '%%%%%'])('refuses %s', (text) => expect(() => decodeZ85(text)).toThrow());
});

/** A bitmap in the portable form with one bucket. */
function portable(bucket: number, bitmap: readonly number[]): Uint8Array {
  const head = Buffer.alloc(16);
  head.writeInt32LE(1681511377);
  head.writeBigUInt64LE(1n, 4);
  head.writeUInt32LE(bucket, 12);
  return Buffer.concat([head, Buffer.from(bitmap)]);
}
const u16 = (value: number): number[] => [value & 255, value >> 8];
const u32 = (value: number): number[] => [...u16(value & 65535), ...u16(value >>> 16)];
/** One array container with key 0. */
const array = (values: readonly number[]): number[] => [
  ...[...u32(12346), ...u32(1), ...u16(0), ...u16(values.length - 1), ...u32(16)],
  ...values.flatMap(u16),
];

describe('bitmaps', () => {
  test('of values, in any bucket', () => {
    expect(decodeBitmapArray(portable(0, array([0, 7, 65535])))).toEqual([0, 7, 65535]);
    expect(decodeBitmapArray(portable(2, array([1])))).toEqual([2 * 2 ** 32 + 1]);
  });

  test('of runs', () => {
    const runs = [
      ...u32(12347),
      1,
      ...u16(3),
      ...u16(4),
      ...u16(2),
      ...u16(5),
      ...u16(2),
      ...u16(100),
      ...u16(1),
    ];
    const start = 3 * 65536;
    expect(decodeBitmapArray(portable(0, runs))).toEqual([5, 6, 7, 100, 101].map((value) => start + value));
  });

  test('of bits', () => {
    const bits = new Array<number>(8192).fill(0xff);
    bits[0] = 0b1000_0001;
    const container = [...u32(12346), ...u32(1), ...u16(0), ...u16(65530 - 1), ...u32(16), ...bits];
    const rows = decodeBitmapArray(portable(0, container));
    expect(rows).toHaveLength(65530);
    expect(rows.slice(0, 4)).toEqual([0, 7, 8, 9]);
  });

  test("in Spark's own form", () => {
    const bitmap = Buffer.from(array([4]));
    const head = Buffer.alloc(12);
    head.writeInt32BE(1681511376);
    head.writeInt32BE(1, 4);
    head.writeInt32BE(bitmap.length, 8);
    expect(decodeBitmapArray(Buffer.concat([head, bitmap]))).toEqual([4]);
  });

  test.each([
    ['of an unknown kind', Buffer.alloc(20)],
    ['that is cut short', portable(0, array([1, 2])).subarray(0, -1)],
    ['with an unknown cookie', portable(0, u32(1))],
  ])('%s are refused', (_, bytes) => expect(() => decodeBitmapArray(bytes)).toThrow());
});

describe('a vector in a file', () => {
  const bitmap = Buffer.from(portable(0, array([3, 9])));
  const vector: DeletionVector = {
    storageType: 'p',
    pathOrInlineDv: 'dv.bin',
    offset: 1,
    sizeInBytes: bitmap.length,
    cardinality: 2,
  };
  async function rowsOf(change: Partial<DeletionVector>, damage: (file: Buffer) => void = () => undefined) {
    const file = Buffer.alloc(1 + 4 + bitmap.length + 4);
    file.writeUInt8(1);
    file.writeInt32BE(bitmap.length, 1);
    bitmap.copy(file, 5);
    file.writeUInt32BE(crc32(bitmap), 5 + bitmap.length);
    damage(file);
    const store = new MemoryObjectStore();
    await store.put('dv.bin', file);
    return loadDeletedRows(store, [fakeAdd('f', { deletionVector: { ...vector, ...change } }), fakeAdd('g')]);
  }

  test('gives the rows that are gone', async () => {
    expect([...(await rowsOf({}))]).toEqual([['f', [3, 9]]]);
  });

  test.each<[string, Partial<DeletionVector>, ((file: Buffer) => void)?]>([
    ['of another size', { sizeInBytes: 5 }],
    ['of another cardinality', { cardinality: 3 }],
    ['with a flipped bit', {}, (file) => file.writeUInt8(8, 5 + bitmap.length - 2)],
    ['of another format version', {}, (file) => file.writeUInt8(2)],
    ['that points past the end', { offset: 900 }],
  ])('%s is refused', async (_, change, damage) => {
    await expect(rowsOf(change, damage)).rejects.toMatchObject({ code: 'DELTA_DELETION_VECTOR_INVALID' });
  });

  test('that is not loaded is never taken for none', () => {
    const source = {
      schema: NUMBERS,
      partitionColumns: [],
      files: [fakeAdd('f', { deletionVector: vector })],
    };
    expect(() => scanPlan(source, (key) => key)).toThrow(/was not loaded/);
  });
});
