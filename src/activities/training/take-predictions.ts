/**
 * The inbox of the model server → `meta.predictions`. A batch of files is one commit, which names them; they are deleted after
 * it. Whoever comes next reads the newest such commit first and deletes what it names, so a crash in between takes nothing in
 * twice. Batches are numbered by a transaction, so of two attempts at once one is first and the other begins again.
 */
import { z } from 'zod';
import type { TakenPredictions } from '../../contracts/model-watch.js';
import { PREDICTIONS_INBOX } from '../../contracts/serving.js';
import { appendRows, type DeltaTable, type Row } from '../../delta/index.js';
import { checkpointIfDue } from '../checkpoint.js';
import { recordSchema } from '../record-schema.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import type { TrainingDeps } from './deps.js';

export const PREDICTIONS_TABLE = 'predictions';
const TRANSACTION = 'datalab:predictions';
const NOTE = 'datalabPredictions';
/** What is read into memory at once. */
const FILES_MAX = 200;
const BYTES_MAX = 32 * 2 ** 20;
/** Commits that are looked through for the newest batch: others are maintenance, of which few come in a row. */
const HISTORY_MAX = 100;

const recordSchemaOf = z.object({
  ...{ id: z.string(), model: z.string(), version: z.string(), prediction: z.number() },
  ...{ at: z.iso.datetime(), key: z.string().nullable(), time: z.iso.datetime().nullable() },
});
const noteSchema = z.object({ batch: z.number(), files: z.array(z.string()) });

const PREDICTIONS = recordSchema({
  predicted_at: 'timestamp',
  id: 'string',
  model: 'string',
  version: 'string',
  key: 'string',
  feature_time: 'timestamp',
  prediction: 'double',
});

export async function takePredictions(deps: TrainingDeps, tables: LakeTables): Promise<TakenPredictions> {
  const { value } = await runStep('take predictions', deps.scratchDirectory, async ({ signal, progress }) => {
    const table = tables.table('meta', PREDICTIONS_TABLE);
    const taken = { files: 0, rows: 0, bad: 0 };
    for (;;) {
      signal.throwIfAborted();
      const before = await tidyNewest(deps, table);
      const keys = await nextFiles(deps);
      if (keys.length === 0) break;
      const { rows, bad } = await readFiles(deps, keys);
      const batch = before + 1;
      const done = await appendRows(table, deps.rowParquet, rows, {
        ...{ schema: PREDICTIONS, transaction: { appId: TRANSACTION, version: batch } },
        info: { [NOTE]: { batch, files: keys } },
      });
      // Another attempt was first: its files are what the next round finds and tidies.
      if (done.status === 'repeated') continue;
      if (bad > 0)
        deps.log({ bad, files: keys.length }, 'lines in the inbox that are no predictions', 'warn');
      await deps.lake.delete(keys);
      taken.files += keys.length;
      taken.rows += rows.length;
      taken.bad += bad;
      progress({ phase: 'predictions', done: taken.files, total: 0, unit: 'files' });
    }
    if (taken.rows > 0) await checkpointIfDue(deps, table);
    return { ...{ rows: taken.rows, bytes: 0, detail: `${taken.files} files` }, value: taken };
  });
  return value;
}

/** Deletes what the newest batch names, in case that its attempt did not come to it. Returns its number. */
async function tidyNewest(deps: TrainingDeps, table: DeltaTable): Promise<number> {
  const snapshot = await table.snapshotIfExists();
  const batch = snapshot?.transaction(TRANSACTION)?.version ?? 0;
  if (batch === 0) return 0;
  for (const { info } of await table.history({ limit: HISTORY_MAX })) {
    const note = noteSchema.safeParse(info[NOTE]);
    if (!note.success || note.data.batch !== batch) continue;
    await deps.lake.delete(note.data.files);
    return batch;
  }
  throw new Error(`the commit of batch ${batch} is not among the last ${HISTORY_MAX} of ${table.store.uri}`);
}

/** The oldest files first. */
async function nextFiles({ lake }: TrainingDeps): Promise<string[]> {
  const keys: string[] = [];
  let bytes = 0;
  for await (const { key, sizeBytes } of lake.list(PREDICTIONS_INBOX)) {
    bytes += sizeBytes;
    if (keys.length > 0 && (keys.length >= FILES_MAX || bytes > BYTES_MAX)) break;
    keys.push(key);
  }
  return keys;
}

async function readFiles(
  { lake }: TrainingDeps,
  keys: readonly string[],
): Promise<{ rows: Row[]; bad: number }> {
  const rows: Row[] = [];
  let bad = 0;
  for (const key of keys) {
    for (const line of Buffer.from(await lake.get(key))
      .toString()
      .split('\n')) {
      if (line === '') continue;
      const parsed = recordSchemaOf.safeParse(jsonOf(line));
      if (parsed.success) {
        const { at, time, ...rest } = parsed.data;
        rows.push({ predicted_at: at, ...rest, feature_time: time });
      } else bad += 1;
    }
  }
  return { rows, bad };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
