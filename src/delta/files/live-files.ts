/**
 * The live files of one version: columns that were filled when the table was opened, and what later commits changed. A file
 * becomes an object when it is asked for, so that whoever counts or looks for one makes no million of them.
 */
import type { AddFile, DeletionVector } from '../actions.js';
import { canonicalPath, vectorId } from '../path.js';
import type { FileColumns } from './file-columns.js';

/** So many files are listed once and then remembered, so that each is one object for all who ask. */
const LISTED_ONCE = 10_000;

/** Immutable. Like an array to whoever reads it from one end to the other; {@link toArray} makes one. */
export class LiveFiles implements Iterable<AddFile> {
  readonly #columns: FileColumns;
  /** Rows of the columns that later commits took out, and files that they added, by canonical path. */
  readonly #gone: ReadonlySet<number>;
  readonly #later: ReadonlyMap<string, AddFile>;
  #listed: readonly AddFile[] | undefined;

  constructor(
    columns: FileColumns,
    gone: ReadonlySet<number> = new Set(),
    later: ReadonlyMap<string, AddFile> = new Map(),
  ) {
    this.#columns = columns;
    this.#gone = gone;
    this.#later = later;
  }

  get length(): number {
    return this.#columns.live - this.#gone.size + this.#later.size;
  }

  /** Bytes of all files. */
  get bytes(): bigint {
    let bytes = 0n;
    let some = 0;
    const add = (size: number): void => {
      some += size;
      if (some < 2 ** 52) return;
      bytes += BigInt(some);
      some = 0;
    };
    for (const row of this.#rows()) add(this.#columns.sizeOf(row));
    for (const { size } of this.#later.values()) add(size);
    return bytes + BigInt(some);
  }

  *[Symbol.iterator](): Generator<AddFile, void> {
    if (this.length <= LISTED_ONCE) {
      this.#listed ??= [...this.#each()];
      yield* this.#listed;
    } else yield* this.#each();
  }

  /** Paths as the log spells them, without making the files. */
  *paths(): Generator<string, void> {
    for (const row of this.#rows()) yield this.#columns.pathOf(row);
    for (const { path } of this.#later.values()) yield path;
  }

  /** The live file of this path, in whatever spelling. */
  find(path: string): AddFile | undefined {
    const later = this.#later.get(canonicalPath(path));
    if (later) return later;
    const row = this.#columns.find(path);
    return row === undefined || this.#gone.has(row) ? undefined : this.#columns.file(row);
  }

  at(index: number): AddFile | undefined {
    let left = index < 0 ? this.length + index : index;
    if (left < 0) return undefined;
    for (const file of this) if (left-- === 0) return file;
    return undefined;
  }

  /** All of them as objects: some 600 bytes each. */
  toArray(): AddFile[] {
    return [...this];
  }

  map<Result>(make: (file: AddFile, index: number) => Result): Result[] {
    return Array.from(this, make);
  }

  flatMap<Result>(make: (file: AddFile) => readonly Result[]): Result[] {
    const results: Result[] = [];
    for (const file of this) results.push(...make(file));
    return results;
  }

  filter(is: (file: AddFile) => boolean): AddFile[] {
    const files: AddFile[] = [];
    for (const file of this) if (is(file)) files.push(file);
    return files;
  }

  some(is: (file: AddFile) => boolean): boolean {
    for (const file of this) if (is(file)) return true;
    return false;
  }

  every(is: (file: AddFile) => boolean): boolean {
    return !this.some((file) => !is(file));
  }

  reduce<Result>(step: (sum: Result, file: AddFile) => Result, start: Result): Result {
    let sum = start;
    for (const file of this) sum = step(sum, file);
    return sum;
  }

  /** Until then the files of a large checkpoint have none that may be asked for (DELTA_STATISTICS_UNREAD). */
  readStatistics(): Promise<void> {
    return this.#columns.readStatistics();
  }

  /** Whether that failed, so that the table is better read anew. */
  get isLost(): boolean {
    return this.#columns.isLost;
  }

  /** A copy that further commits can be applied to, and the result of that. */
  change(): LiveFilesChange {
    const gone = new Set(this.#gone);
    const later = new Map(this.#later);
    const columns = this.#columns;
    const liveRow = (path: string): number | undefined => {
      const row = columns.find(path);
      return row === undefined || gone.has(row) ? undefined : row;
    };
    return {
      remove(path, vector) {
        const canonical = canonicalPath(path);
        const known = later.get(canonical);
        if (known) {
          if (vectorId(known.deletionVector) === vectorId(vector)) later.delete(canonical);
          return;
        }
        const row = liveRow(path);
        if (row !== undefined && vectorId(columns.vectorOf(row)) === vectorId(vector)) gone.add(row);
      },
      add(file) {
        const row = liveRow(file.path);
        if (row !== undefined) gone.add(row);
        later.set(canonicalPath(file.path), file);
      },
      done: () => new LiveFiles(columns, gone, later),
    };
  }

  *#rows(): Generator<number, void> {
    for (let row = 0; row < this.#columns.rows; row += 1)
      if (this.#columns.isLive(row) && !this.#gone.has(row)) yield row;
  }

  *#each(): Generator<AddFile, void> {
    for (const row of this.#rows()) yield this.#columns.file(row);
    yield* this.#later.values();
  }
}

/** Where replay puts file actions: {@link FileColumns} while a log is read, a change of live files afterwards. */
export interface FileDraft {
  remove(path: string, vector: DeletionVector | undefined): void;
  add(file: AddFile): void;
}

export interface LiveFilesChange extends FileDraft {
  done(): LiveFiles;
}
