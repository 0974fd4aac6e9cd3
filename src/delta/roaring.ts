/** Roaring bitmaps as deletion vectors hold them: 64-bit positions in buckets of standard 32-bit bitmaps. */

/** The portable form: outer numbers little-endian. */
const MAGIC_PORTABLE = 1681511377;
/** Spark's own form: outer numbers big-endian, each bitmap with its length; bucket keys are their positions. */
const MAGIC_NATIVE = 1681511376;
const COOKIE_RUNS = 12347;
const COOKIE_PLAIN = 12346;
/** Containers with more values than this are bit sets. */
const ARRAY_MAX = 4096;
/** Bitmaps with fewer containers than this have no offset table when there are runs. */
const NO_OFFSET_THRESHOLD = 4;
const BUCKET = 2 ** 32;

/** Positions in ascending order. Throws on a damaged bitmap. */
export function decodeBitmapArray(bytes: Uint8Array): number[] {
  const cursor = new Cursor(bytes);
  const littleEndian = cursor.peekInt32(true) === MAGIC_PORTABLE;
  const rows: number[] = [];
  if (littleEndian) {
    cursor.skip(4);
    const buckets = Number(cursor.uint64());
    for (let bucket = 0; bucket < buckets; bucket += 1) readBitmap(cursor, cursor.uint32() * BUCKET, rows);
    return rows;
  }
  if (cursor.peekInt32(false) !== MAGIC_NATIVE) throw new Error('it has an unknown magic number');
  cursor.skip(4);
  const buckets = cursor.int32BigEndian();
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const length = cursor.int32BigEndian();
    const end = cursor.position + length;
    readBitmap(cursor, bucket * BUCKET, rows);
    cursor.seek(end);
  }
  return rows;
}

/** One standard 32-bit bitmap, appended to `rows`. */
function readBitmap(cursor: Cursor, base: number, rows: number[]): void {
  const cookie = cursor.uint32();
  const withRuns = (cookie & 0xffff) === COOKIE_RUNS;
  if (!withRuns && cookie !== COOKIE_PLAIN) throw new Error('a bitmap has an unknown cookie');
  const count = withRuns ? (cookie >>> 16) + 1 : cursor.uint32();
  const runFlags = withRuns ? cursor.bytes(Math.ceil(count / 8)) : undefined;
  const containers = Array.from({ length: count }, () => ({
    key: cursor.uint16(),
    cardinality: cursor.uint16() + 1,
  }));
  // The containers follow in order: the offsets are of no use here.
  if (!withRuns || count >= NO_OFFSET_THRESHOLD) cursor.skip(4 * count);
  containers.forEach(({ key, cardinality }, index) => {
    const start = base + key * 65536;
    const isRun = ((runFlags?.[index >> 3] ?? 0) >> (index & 7)) & 1;
    if (isRun) readRuns(cursor, start, rows);
    else if (cardinality <= ARRAY_MAX)
      for (let i = 0; i < cardinality; i += 1) rows.push(start + cursor.uint16());
    else readBits(cursor, start, rows);
  });
}

function readRuns(cursor: Cursor, start: number, rows: number[]): void {
  const runs = cursor.uint16();
  for (let run = 0; run < runs; run += 1) {
    const first = cursor.uint16();
    const more = cursor.uint16();
    for (let value = first; value <= first + more; value += 1) rows.push(start + value);
  }
}

function readBits(cursor: Cursor, start: number, rows: number[]): void {
  const bits = cursor.bytes(8192);
  bits.forEach((byte, index) => {
    for (let rest = byte; rest !== 0; rest &= rest - 1) {
      rows.push(start + index * 8 + (31 - Math.clz32(rest & -rest)));
    }
  });
}

/** Reading position in bytes; reading past the end throws RangeError. */
class Cursor {
  readonly #view: DataView;
  position = 0;

  constructor(private readonly source: Uint8Array) {
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  peekInt32(littleEndian: boolean): number {
    return this.#view.getInt32(this.position, littleEndian);
  }

  int32BigEndian(): number {
    const value = this.#view.getInt32(this.position);
    this.position += 4;
    return value;
  }

  uint16(): number {
    const value = this.#view.getUint16(this.position, true);
    this.position += 2;
    return value;
  }

  uint32(): number {
    const value = this.#view.getUint32(this.position, true);
    this.position += 4;
    return value;
  }

  uint64(): bigint {
    const value = this.#view.getBigUint64(this.position, true);
    this.position += 8;
    return value;
  }

  bytes(length: number): Uint8Array {
    const end = this.position + length;
    if (end > this.source.byteLength) throw new RangeError('a bitmap is cut short');
    const part = this.source.subarray(this.position, end);
    this.position = end;
    return part;
  }

  skip(length: number): void {
    this.position += length;
  }

  seek(position: number): void {
    this.position = position;
  }
}
