/** Writing checkpoints: what a reader starts from instead of the whole log. */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableHandle } from '../api.js';
import { checkpointKeys } from '../checkpoint.js';
import { checkpointSelect, countCheckpoint, type CheckpointCounts } from '../checkpoint-sql.js';
import type { DeltaDeps } from '../deps.js';
import { DeltaError } from '../errors.js';
import { checkpointKey, HINT_KEY } from '../log-path.js';
import { listLog, readHint } from '../log-reader.js';
import { segmentsFor, type LogSegment } from '../log-segment.js';
import { physicalName } from '../physical-name.js';
import type { Engine, LocalFiles, ObjectStore } from '../ports.js';
import { requireEngine, withScratch } from '../scratch.js';
import type { TableSnapshot } from '../snapshot.js';
import { parsedStatsType } from '../stats-type.js';
import { tableProperties, type TableProperties } from '../table-properties.js';

/** `exists`: somebody else wrote the checkpoint of this version. */
export interface CheckpointReport {
  readonly status: 'written' | 'exists';
  readonly version: number;
  /** Live files that the checkpoint names; 0 where it was there. */
  readonly files: number;
  readonly bytes: number;
}

/** An add with its statistics takes some 500 bytes: more rows at once take 0.2 GB more and save nothing. */
const ROW_GROUP_ROWS = 40_960;

/** Whether so many commits lie above the newest checkpoint that the next one is due. Costs nothing. */
export function needsCheckpoint(snapshot: {
  readonly version: number;
  readonly checkpointVersion?: number | undefined;
  readonly metadata: { readonly configuration: Readonly<Record<string, string>> };
}): boolean {
  const { checkpointInterval } = tableProperties(snapshot.metadata.configuration);
  return snapshot.version - (snapshot.checkpointVersion ?? 0) >= checkpointInterval;
}

/**
 * Writes the classic checkpoint of the snapshot's version. It counts only when it was read again and has the same files,
 * bytes, transactions and domains as the snapshot; until then no reader knows of it, and one that exists is never
 * replaced. The table itself does not change. Throws DELTA_CHECKPOINT_INVALID, DELTA_CHECKPOINT_UNREADABLE (nothing to
 * start from), DELTA_ENGINE_REQUIRED.
 */
export async function writeCheckpoint(
  { store, deps }: Pick<TableHandle, 'store' | 'deps'>,
  snapshot: TableSnapshot,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CheckpointReport> {
  const engine = requireEngine(deps, store.uri);
  const { version } = snapshot;
  const key = checkpointKey(version);
  if (await store.head(key)) return { status: 'exists', version, files: 0, bytes: 0 };
  return withScratch(deps, async (folder) => {
    const { path, counts } = await makeAndCheck(store, deps, engine, snapshot, folder, options.signal);
    const { size: bytes } = await stat(path);
    const how = options.signal ? { signal: options.signal } : {};
    if ((await store.putFileIfAbsent(key, path, how)) === 'exists')
      return { status: 'exists', version, files: 0, bytes: 0 };
    await moveHint(store, version, counts, bytes);
    return { status: 'written', version, files: Number(counts.adds), bytes };
  });
}

/** From the newest checkpoint that can be read, or else from an older one, or the commits alone. */
async function makeAndCheck(
  store: ObjectStore,
  deps: DeltaDeps,
  engine: Engine,
  snapshot: TableSnapshot,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ path: string; counts: CheckpointCounts }> {
  const segments = segmentsFor(await listLog(store), store.uri, snapshot.version);
  let failure: unknown;
  for (const [index, segment] of segments.entries()) {
    try {
      const path = join(folder, `checkpoint-${index}.parquet`);
      await make(store, deps, engine, segment, snapshot, folder, path, signal);
      return { path, counts: await check(engine, snapshot, path, signal) };
    } catch (error) {
      signal?.throwIfAborted();
      failure ??= error;
    }
  }
  throw failure;
}

async function make(
  store: ObjectStore,
  { clock }: DeltaDeps,
  engine: Engine,
  { checkpoint, commits }: LogSegment,
  snapshot: TableSnapshot,
  folder: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const properties = tableProperties(snapshot.metadata.configuration);
  const base = checkpoint ? await checkpointKeys(store, engine, checkpoint) : [];
  const keys = [...base, ...commits.map((commit) => commit.key)];
  const files: LocalFiles = await store.checkout(keys, signal ? { signal } : {});
  try {
    const small = join(folder, 'small.json');
    await writeFile(small, smallActions(snapshot));
    const json = [
      ...base
        .filter((key) => key.endsWith('.json'))
        .map((key) => ({ path: files.pathOf(key), version: checkpoint?.version ?? 0 })),
      ...commits.map(({ key, version }) => ({ path: files.pathOf(key), version })),
    ];
    const parquet = base.filter((key) => !key.endsWith('.json')).map((key) => files.pathOf(key));
    const inputs = [small, ...json.map((file) => file.path), ...parquet];
    const session = await engine.open({ inputs, outputDirectory: folder, ...(signal ? { signal } : {}) });
    try {
      const select = await checkpointSelect(
        session,
        { small, json, parquet },
        {
          expiredMs: clock.nowMs() - properties.deletedFileRetentionMs,
          statsAsJson: properties.statsAsJson,
          ...(properties.statsAsStruct ? parsedTypes(engine, snapshot, properties) : {}),
        },
      );
      const how = { isOwn: true, rowGroupRows: ROW_GROUP_ROWS };
      await session.writeParquet(select, path.slice(folder.length + 1), how);
    } finally {
      await session.close();
    }
  } finally {
    files.release();
  }
}

function parsedTypes(
  engine: Engine,
  snapshot: TableSnapshot,
  properties: TableProperties,
): { statsType: string | undefined; partitionTypes: Record<string, string> } {
  const partitions = snapshot.schema.fields.filter(({ name }) => snapshot.partitionColumns.includes(name));
  return {
    statsType: parsedStatsType(engine, snapshot, properties),
    partitionTypes: Object.fromEntries(
      partitions.map((field) => [physicalName(snapshot, field), engine.sqlType(field.type)]),
    ),
  };
}

function smallActions({ protocol, metadata, transactions, state }: TableSnapshot): string {
  const actions: object[] = [{ protocol }, { metaData: metadata }];
  for (const txn of transactions.values()) actions.push({ txn });
  for (const [domain, configuration] of state.domains) {
    actions.push({ domainMetadata: { domain, configuration, removed: false } });
  }
  return actions.map((action) => `${JSON.stringify(action)}\n`).join('');
}

/** Reads the file anew and compares it with what the snapshot knows by a way of its own. */
async function check(
  engine: Engine,
  snapshot: TableSnapshot,
  path: string,
  signal: AbortSignal | undefined,
): Promise<CheckpointCounts> {
  const session = await engine.open({ inputs: [path], ...(signal ? { signal } : {}) });
  try {
    const counts = await countCheckpoint(session, path);
    const wanted: Partial<CheckpointCounts> = {
      adds: BigInt(snapshot.files.length),
      bytes: snapshot.files.bytes,
      transactions: BigInt(snapshot.transactions.size),
      domains: BigInt(snapshot.state.domains.size),
      protocols: 1n,
      metadatas: 1n,
      odd: 0n,
    };
    const wrong = (Object.keys(wanted) as Array<keyof CheckpointCounts>).filter(
      (name) => counts[name] !== wanted[name],
    );
    if (wrong.length === 0) return counts;
    const said = wrong.map((name) => `${name} ${String(counts[name])}, not ${String(wanted[name])}`);
    throw new DeltaError(
      'DELTA_CHECKPOINT_INVALID',
      `the checkpoint of ${snapshot.tableUri} version ${snapshot.version} came out wrong: ${said.join('; ')}`,
    );
  } finally {
    await session.close();
  }
}

/** The hint never goes back: a slower writer of an older checkpoint leaves it alone. */
async function moveHint(
  store: ObjectStore,
  version: number,
  { actions, adds }: CheckpointCounts,
  sizeInBytes: number,
): Promise<void> {
  const known = await readHint(store);
  if (known !== undefined && known >= version) return;
  const hint = { version, size: Number(actions), sizeInBytes, numOfAddFiles: Number(adds) };
  await store.put(HINT_KEY, new TextEncoder().encode(JSON.stringify(hint)));
}
