/** Uploads that begin while a step still computes: each file goes on its way as soon as it is written. */
import {
  addOf,
  uploadFile,
  type AddFile,
  type ObjectStore,
  type StructType,
  type UploadedFile,
  type WrittenFile,
} from '../delta/index.js';
import type { ActivityDeps } from './deps.js';

/** The table that files are staged for. */
export interface StagedTable {
  readonly schema: StructType;
  readonly partitionValues?: Readonly<Record<string, string | null>>;
}

/** The files of one table that one attempt of a step uploads. */
export class Uploads {
  readonly #begun = new Map<WrittenFile, Promise<UploadedFile>>();

  constructor(
    private readonly deps: Pick<ActivityDeps, 'clock' | 'newId'>,
    private readonly store: ObjectStore,
    private readonly signal: AbortSignal,
  ) {}

  /** Begins to upload the file. Whether that worked is told by {@link adds}. */
  begin(file: WrittenFile): void {
    const upload = uploadFile(this.store, file, { newId: this.deps.newId, signal: this.signal });
    // Whoever asks for the adds hears of a failure; until then it has an owner here.
    upload.catch(() => undefined);
    this.#begun.set(file, upload);
  }

  /** The adds of the files, in order, when all are uploaded. What was begun and is not among them is removed again. */
  async adds(
    files: readonly WrittenFile[],
    { schema, partitionValues = {} }: StagedTable,
  ): Promise<AddFile[]> {
    for (const file of files) if (!this.#begun.has(file)) this.begin(file);
    const uploaded = await Promise.all(files.map((file) => this.#begun.get(file) as Promise<UploadedFile>));
    for (const file of files) this.#begun.delete(file);
    await this.abandon();
    return uploaded.map((file) => addOf(file, { schema, partitionValues, clock: this.deps.clock }));
  }

  /**
   * Removes what was uploaded and not handed out by {@link adds}: nobody else knows its names. What cannot be removed now is
   * left to VACUUM.
   */
  async abandon(): Promise<void> {
    const settled = await Promise.allSettled(this.#begun.values());
    this.#begun.clear();
    const keys = settled.flatMap((upload) => (upload.status === 'fulfilled' ? [upload.value.key] : []));
    if (keys.length > 0) await this.store.delete(keys).catch(() => undefined);
  }
}

/** Does the work with the uploads of a table, and takes back those that it leaves when it fails. */
export async function withUploads<Result>(
  deps: Pick<ActivityDeps, 'clock' | 'newId'>,
  store: ObjectStore,
  signal: AbortSignal,
  work: (uploads: Uploads) => Promise<Result>,
): Promise<Result> {
  const uploads = new Uploads(deps, store, signal);
  try {
    return await work(uploads);
  } catch (error) {
    await uploads.abandon();
    throw error;
  }
}
