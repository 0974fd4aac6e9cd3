/**
 * An inbox of the lake → its table. A batch of files is one commit, which names them; they are deleted after it. Whoever comes
 * next reads the newest such commit first and deletes what it names, so a crash in between takes nothing in twice. Batches are
 * numbered by a transaction, so of two attempts at once one is first and the other begins again.
 */
import { z } from 'zod';
import { appendRows, mapLimited, ObjectNotFoundError, type DeltaTable, type Row } from '../delta/index.js';
import { checkpointIfDue } from './checkpoint.js';
import type { ActivityDeps } from './deps.js';
import type { recordSchema } from './record-schema.js';
import type { LakeTables } from './tables.js';

type InboxDeps = Pick<
  ActivityDeps,
  'lake' | 'engine' | 'rowParquet' | 'clock' | 'newId' | 'scratchDirectory' | 'log'
>;

export interface Inbox {
  /** Where the files lie; ends with `/`. */
  readonly prefix: string;
  /** Name of the table in `meta`. */
  readonly table: string;
  readonly schema: ReturnType<typeof recordSchema>;
  /** Transaction that numbers the batches, and key of a batch's note in its commit. */
  readonly transaction: string;
  readonly note: string;
  /** A line as data → its rows; undefined where it is none. */
  readonly read: (line: unknown) => InboxLine | undefined;
}

export interface InboxLine {
  readonly rows: readonly Row[];
  /** Its place in a source that may leave it twice: what is not beyond the last one taken is passed over. */
  readonly place?: { readonly source: string; readonly sequence: number };
}

export interface Taken {
  readonly files: number;
  readonly rows: number;
  /** Lines that are no record. */
  readonly bad: number;
}

/** What is read into memory at once. */
const FILES_MAX = 200;
const BYTES_MAX = 32 * 2 ** 20;
const PARALLEL = 16;
/** Commits that are looked through for the newest batch: others are maintenance, of which few come in a row. */
const HISTORY_MAX = 100;

const noteSchema = z.object({
  batch: z.number(),
  files: z.array(z.string()),
  /** Of each source the last place taken. */
  marks: z.record(z.string(), z.number()).default({}),
});
type Note = z.infer<typeof noteSchema>;

export async function takeInbox(
  deps: InboxDeps,
  tables: LakeTables,
  inbox: Inbox,
  {
    signal,
    onFiles,
  }: { readonly signal?: AbortSignal | undefined; readonly onFiles?: (files: number) => void } = {},
): Promise<Taken> {
  const table = tables.table('meta', inbox.table);
  const taken = { files: 0, rows: 0, bad: 0 };
  for (;;) {
    signal?.throwIfAborted();
    const before = await tidyNewest(deps, table, inbox);
    const keys = await nextFiles(deps, inbox);
    if (keys.length === 0) break;
    const found = await readFiles(deps, inbox, keys, before.marks);
    // Another attempt takes the same files.
    if (!found) continue;
    const { rows, bad, marks } = found;
    const batch = before.batch + 1;
    const done = await appendRows(table, deps.rowParquet, rows, {
      ...{ schema: inbox.schema, transaction: { appId: inbox.transaction, version: batch } },
      info: { [inbox.note]: { batch, files: keys, marks } },
    });
    // Another attempt was first: its files are what the next round finds and tidies.
    if (done.status === 'repeated') continue;
    if (bad > 0)
      deps.log(
        { bad, files: keys.length, inbox: inbox.prefix },
        'lines in the inbox that are no records',
        'warn',
      );
    await deps.lake.delete(keys);
    taken.files += keys.length;
    taken.rows += rows.length;
    taken.bad += bad;
    onFiles?.(taken.files);
  }
  if (taken.rows > 0) await checkpointIfDue(deps, table);
  return taken;
}

/** Deletes what the newest batch names, in case that its attempt did not come to it. Returns its note. */
async function tidyNewest(deps: InboxDeps, table: DeltaTable, inbox: Inbox): Promise<Note> {
  const snapshot = await table.snapshotIfExists();
  const batch = snapshot?.transaction(inbox.transaction)?.version ?? 0;
  if (batch === 0) return { batch, files: [], marks: {} };
  const history = await table.history({ limit: HISTORY_MAX });
  for (const { info } of history) {
    const note = noteSchema.safeParse(info[inbox.note]);
    if (!note.success || note.data.batch !== batch) continue;
    await deps.lake.delete(note.data.files);
    return note.data;
  }
  // A commit that was cleaned out of the log is weeks old: whoever came since has deleted what it names.
  if (history.length < HISTORY_MAX) return { batch, files: [], marks: {} };
  throw new Error(`the commit of batch ${batch} is not among the last ${HISTORY_MAX} of ${table.store.uri}`);
}

/** The oldest files first. */
async function nextFiles({ lake }: InboxDeps, { prefix }: Inbox): Promise<string[]> {
  const keys: string[] = [];
  let bytes = 0;
  for await (const { key, sizeBytes } of lake.list(prefix)) {
    bytes += sizeBytes;
    if (keys.length > 0 && (keys.length >= FILES_MAX || bytes > BYTES_MAX)) break;
    keys.push(key);
  }
  return keys;
}

/** Undefined where one of them is gone. */
async function readFiles(
  { lake }: InboxDeps,
  { read }: Inbox,
  keys: readonly string[],
  before: Readonly<Record<string, number>>,
): Promise<{ rows: Row[]; bad: number; marks: Record<string, number> } | undefined> {
  const texts = await mapLimited(keys, PARALLEL, async (key) => {
    try {
      return Buffer.from(await lake.get(key)).toString();
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  });
  if (texts.includes(undefined)) return undefined;
  const lines = texts.flatMap((text) => text?.split('\n') ?? []).filter((line) => line !== '');
  const records = lines.map((line) => read(jsonOf(line))).filter((record) => record !== undefined);
  const rows: Row[] = [];
  const marks: Record<string, number> = { ...before };
  // Files are named by a clock, which may step back: what came first is told by the places.
  const inOrder = [...records].sort((a, b) => (a.place?.sequence ?? 0) - (b.place?.sequence ?? 0));
  for (const { place, rows: made } of inOrder) {
    if (place) {
      if (place.sequence <= (marks[place.source] ?? 0)) continue;
      marks[place.source] = place.sequence;
    }
    rows.push(...made);
  }
  return { rows, bad: lines.length - records.length, marks };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
