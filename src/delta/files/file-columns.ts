/**
 * The files that a log names, column by column and outside of the heap: a million of them take some 150 MB, where a million
 * objects take four times that. Filled while a log is replayed, never changed afterwards but for statistics that are read
 * late.
 */
import type { AddFile, DeletionVector } from '../actions.js';
import { DeltaError } from '../errors.js';
import { canonicalPath, vectorId } from '../path.js';
import { SpilledTexts } from './spilled-texts.js';
import { hashOf, TextBlocks, viewOf } from './text-blocks.js';

/** So many files are kept as the objects that they came as. */
const OBJECTS_KEPT = 10_000;

/** What is neither in a column of its own, nor in most files. */
export type RareFields = Omit<AddFile, (typeof PLAIN)[number]>;
export const PLAIN = [
  'path',
  'partitionValues',
  'size',
  'modificationTime',
  'dataChange',
  'stats',
] as const satisfies ReadonlyArray<keyof AddFile>;

/** One file as a checkpoint has it, its path already among {@link FileColumns.paths}. */
export interface FileRow {
  readonly pathAddress: number;
  readonly pathBytes: number;
  readonly size: number;
  readonly modificationTime: number;
  readonly dataChange: boolean;
  readonly partition: number;
  readonly rare: RareFields | undefined;
  /** `LATE`: there may be some, which {@link FileColumns.readStatistics} reads. */
  readonly stats: string | undefined | typeof LATE;
}

/** Slots for each row, at least. */
const LOAD = 1.5;
const DEAD = 1;
const DATA_CHANGE = 2;
/** The path may have more than one spelling. */
const SPELT = 4;
/** In the place of the length of a file's statistics. */
const NONE = 0xffffffff;
export const LATE = 0xfffffffe;

export class FileColumns {
  readonly paths = new TextBlocks();
  #rows = 0;
  #live = 0;
  #pathAddress = new Float64Array(16);
  #pathBytes = new Uint32Array(16);
  #hash = new Int32Array(16);
  #size = new Float64Array(16);
  #modified = new Float64Array(16);
  #partition = new Uint32Array(16);
  #flags = new Uint8Array(16);
  #statsAddress = new Float64Array(16);
  #statsBytes = new Uint32Array(16);
  /** Rows by the hash of their canonical path, plus one; 0 is free. */
  #slots = new Int32Array(64);
  readonly #rare = new Map<number, RareFields>();
  readonly #objects = new Map<number, AddFile>();
  readonly #partitions: Array<AddFile['partitionValues']> = [{}];
  readonly #partitionOf = new Map<string, number>([['{}', 0]]);
  readonly #stats: SpilledTexts;
  #late: Array<() => Promise<void>> = [];
  #readingLate: Promise<void> | undefined;
  #lost = false;

  /** Statistics beyond some megabytes go to a nameless file in the folder. */
  constructor(
    scratchDirectory: string,
    private readonly objectsKept = OBJECTS_KEPT,
  ) {
    this.#stats = new SpilledTexts(scratchDirectory);
  }

  /** Rows that were ever added, and those that were neither removed nor replaced. */
  get rows(): number {
    return this.#rows;
  }
  get live(): number {
    return this.#live;
  }

  /** Makes room for so many more rows at once. */
  reserve(more: number): void {
    const rows = this.#rows + more;
    // A sixteenth more, for the commits above the checkpoint.
    if (rows > this.#size.length) this.#grow(rows + (rows >> 4));
    let slots = this.#slots.length;
    while (slots < rows * LOAD) slots *= 2;
    if (slots > this.#slots.length) this.#rehash(slots);
  }

  isLive(row: number): boolean {
    return row < this.#rows && ((this.#flags[row] ?? DEAD) & DEAD) === 0;
  }

  sizeOf(row: number): number {
    return this.#size[row] ?? 0;
  }

  /** Takes a file in, in the place of one of the same path. */
  add(file: AddFile): void {
    const { path, partitionValues, size, modificationTime, dataChange, stats } = file;
    const { address, bytes } = this.paths.add(path);
    const row = this.addRow({
      pathAddress: address,
      pathBytes: bytes,
      size,
      modificationTime,
      dataChange,
      partition: isEmpty(partitionValues)
        ? 0
        : this.partition(JSON.stringify(partitionValues), partitionValues),
      rare: rareOf(file),
      stats,
    });
    const plain =
      Number.isInteger(size) && Number.isInteger(modificationTime) && typeof dataChange === 'boolean';
    // What breaks the protocol is handed on as it came.
    if (row < this.objectsKept || !plain) this.#objects.set(row, file);
  }

  addRow(file: FileRow): number {
    const row = this.#rows;
    if (row === this.#size.length) this.#grow(row * 2);
    this.#rows += 1;
    this.#pathAddress[row] = file.pathAddress;
    this.#pathBytes[row] = file.pathBytes;
    this.#size[row] = file.size;
    this.#modified[row] = file.modificationTime;
    this.#partition[row] = file.partition;
    this.#flags[row] = file.dataChange ? DATA_CHANGE : 0;
    if (file.rare) this.#rare.set(row, file.rare);
    if (file.stats === undefined) this.#statsBytes[row] = NONE;
    else if (file.stats === LATE) this.#statsBytes[row] = LATE;
    else {
      const { address, bytes } = this.#stats.add(file.stats);
      this.#statsAddress[row] = address;
      this.#statsBytes[row] = bytes;
    }
    this.#place(row);
    return row;
  }

  /** The code of partition values, by their JSON text. */
  partition(text: string, values?: AddFile['partitionValues']): number {
    let code = this.#partitionOf.get(text);
    if (code === undefined) {
      code = this.#partitions.length;
      this.#partitions.push(values ?? (JSON.parse(text) as AddFile['partitionValues']));
      this.#partitionOf.set(text, code);
    }
    return code;
  }

  /** Takes the file of this path out, where it has this deletion vector. */
  remove(path: string, vector: DeletionVector | undefined): void {
    const row = this.find(path);
    if (row === undefined || vectorId(this.vectorOf(row)) !== vectorId(vector)) return;
    this.#kill(row);
  }

  /** The live row of a path, in whatever spelling. */
  find(path: string): number | undefined {
    const bytes = Buffer.from(canonicalPath(path));
    const row = this.#look(hashOf(viewOf(bytes), 0, bytes.length), (other) =>
      this.#isCanonical(other, bytes),
    );
    return row !== undefined && this.isLive(row) ? row : undefined;
  }

  /** The file of a row. Its statistics are fetched when they are asked for. */
  file(row: number): AddFile {
    const known = this.#objects.get(row);
    if (known) return known;
    const path = this.pathOf(row);
    const partitionValues = this.#partitions[this.#partition[row] ?? 0] ?? {};
    const [size, modificationTime] = [this.#size[row] ?? 0, this.#modified[row] ?? 0];
    const dataChange = ((this.#flags[row] ?? 0) & DATA_CHANGE) !== 0;
    const statsOf = (): string => this.#statsOf(row) as string;
    const file: AddFile =
      this.#statsBytes[row] === NONE
        ? { path, partitionValues, size, modificationTime, dataChange }
        : {
            path,
            partitionValues,
            size,
            modificationTime,
            dataChange,
            get stats() {
              return statsOf();
            },
          };
    const rare = this.#rare.get(row);
    if (rare) Object.assign(file, rare);
    if (this.#rows <= this.objectsKept) this.#objects.set(row, file);
    return file;
  }

  vectorOf(row: number): DeletionVector | undefined {
    return this.#rare.get(row)?.deletionVector;
  }

  pathOf(row: number): string {
    return this.paths.text(this.#pathAddress[row] ?? 0, this.#pathBytes[row] ?? 0);
  }

  /** How statistics that were left out are read; it calls {@link setStatistics} for each. */
  readLate(read: () => Promise<void>): void {
    this.#late.push(read);
  }

  /** Reads the statistics that were left out, once. Afterwards every file has its own. */
  async readStatistics(): Promise<void> {
    if (this.#late.length === 0) return;
    this.#readingLate ??= (async () => {
      for (const read of this.#late) await read();
      // What the checkpoint no longer speaks of has none: nothing is known of the file, so it is read.
      for (let row = 0; row < this.#rows; row += 1)
        if (this.#statsBytes[row] === LATE) this.#statsBytes[row] = NONE;
      this.#late = [];
    })();
    try {
      await this.#readingLate;
    } catch (error) {
      this.#lost = true;
      throw error;
    } finally {
      this.#readingLate = undefined;
    }
  }

  /** Whether statistics could not be read when they were needed: the log may lead to others by now. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** The statistics of a file whose own were left out: UTF-8 in a part of the buffer. */
  setStatistics(row: number, from: Buffer, start: number, end: number): void {
    if (this.#statsBytes[row] !== LATE) return;
    this.#statsAddress[row] = this.#stats.addBytes(from, start, end);
    this.#statsBytes[row] = end - start;
  }

  #statsOf(row: number): string | undefined {
    const bytes = this.#statsBytes[row] ?? NONE;
    if (bytes === NONE) return undefined;
    if (bytes !== LATE) return this.#stats.text(this.#statsAddress[row] ?? 0, bytes);
    throw new DeltaError(
      'DELTA_STATISTICS_UNREAD',
      `the statistics of '${this.pathOf(row)}' were asked for before they were read`,
    );
  }

  #kill(row: number): void {
    this.#flags[row] = (this.#flags[row] ?? 0) | DEAD;
    this.#objects.delete(row);
    this.#live -= 1;
  }

  /** Finds the row its slot, and takes out the one that it replaces. */
  #place(row: number): void {
    const [address, length] = [this.#pathAddress[row] ?? 0, this.#pathBytes[row] ?? 0];
    let hash = this.paths.hash(address, length);
    let canonical: Buffer | undefined;
    if (hash < 0) {
      canonical = Buffer.from(canonicalPath(this.pathOf(row)));
      hash = hashOf(viewOf(canonical), 0, canonical.length);
      this.#flags[row] = (this.#flags[row] ?? 0) | SPELT;
    }
    this.#hash[row] = hash;
    this.#live += 1;
    if (this.#rows * LOAD > this.#slots.length) this.#rehash(this.#slots.length * 4);
    const slots = this.#slots;
    const hashes = this.#hash;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (; ; slot = (slot + 1) & mask) {
      const other = (slots[slot] as number) - 1;
      if (other < 0) break;
      if (hashes[other] !== hash || !this.#isSame(other, row, canonical)) continue;
      if (this.isLive(other)) this.#kill(other);
      break;
    }
    slots[slot] = row + 1;
  }

  #isSame(other: number, row: number, canonical: Buffer | undefined): boolean {
    if (canonical) return this.#isCanonical(other, canonical);
    const [address, length] = [this.#pathAddress[row] ?? 0, this.#pathBytes[row] ?? 0];
    if (this.#isSpelt(other)) return canonicalPath(this.pathOf(other)) === this.pathOf(row);
    return (
      this.#pathBytes[other] === length && this.paths.equal(this.#pathAddress[other] ?? 0, address, length)
    );
  }

  #look(hash: number, is: (row: number) => boolean): number | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row < 0) return undefined;
      if (this.#hash[row] === hash && is(row)) return row;
    }
  }

  #isCanonical(row: number, wanted: Buffer): boolean {
    if (this.#isSpelt(row)) return Buffer.from(canonicalPath(this.pathOf(row))).equals(wanted);
    return this.paths.is(this.#pathAddress[row] ?? 0, this.#pathBytes[row] ?? 0, wanted);
  }

  #isSpelt(row: number): boolean {
    return ((this.#flags[row] ?? 0) & SPELT) !== 0;
  }

  #rehash(size: number): void {
    const slots = new Int32Array(size);
    const mask = slots.length - 1;
    for (const filled of this.#slots) {
      if (filled === 0) continue;
      let slot = (this.#hash[filled - 1] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = filled;
    }
    this.#slots = slots;
  }

  #grow(rows: number): void {
    this.#pathAddress = grown(this.#pathAddress, new Float64Array(rows));
    this.#pathBytes = grown(this.#pathBytes, new Uint32Array(rows));
    this.#hash = grown(this.#hash, new Int32Array(rows));
    this.#size = grown(this.#size, new Float64Array(rows));
    this.#modified = grown(this.#modified, new Float64Array(rows));
    this.#partition = grown(this.#partition, new Uint32Array(rows));
    this.#flags = grown(this.#flags, new Uint8Array(rows));
    this.#statsAddress = grown(this.#statsAddress, new Float64Array(rows));
    this.#statsBytes = grown(this.#statsBytes, new Uint32Array(rows));
  }
}

function grown<Numbers extends Float64Array | Uint32Array | Int32Array | Uint8Array>(
  from: Numbers,
  into: Numbers,
): Numbers {
  into.set(from);
  return into;
}

/** What a file has besides; a rest of a pattern would cost as much as parsing it. */
function rareOf(file: AddFile): RareFields | undefined {
  let rare: Record<string, unknown> | undefined;
  for (const name in file) {
    if (PLAIN_NAMES.has(name)) continue;
    rare ??= {};
    rare[name] = file[name as keyof AddFile];
  }
  return rare;
}

const PLAIN_NAMES: ReadonlySet<string> = new Set(PLAIN);

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}
