/** The probe of the lake: every table, how large, how fresh, how healthy. */
import { DatalabError } from '../../contracts/errors.js';
import type { Cycle, Measurement, ProbeAnswer } from '../../contracts/monitoring.js';
import type { LakeMemory } from '../../contracts/probe-memory.js';
import { LAYERS, listTables, nameOf, type TableName } from '../../lake/tables.js';
import { mapLimited, type DeltaTable, type Snapshot } from '../../delta/index.js';
import { noteOf } from '../../medallion/commit-note.js';
import { rowCount, type LakeTables } from '../tables.js';
import type { MonitoringDeps } from './deps.js';
import { measureDatasets } from './freshness.js';
import { handOver, recall, remember } from './memory.js';
import { measureLive } from './models.js';

const PARALLEL = 16;
/** Commits that are looked through for the newest data of a table: where it is seen for the first time, and at most. */
const FIRST_LOOK = 50;
const HISTORY_MAX = 1000;

interface Measured {
  readonly name: TableName;
  readonly measurements: readonly Measurement[];
  readonly memory: LakeMemory['tables'][string] | undefined;
  readonly rows: number;
  readonly bytes: number;
  readonly files: number;
}

export async function probeLake(
  deps: MonitoringDeps,
  tables: LakeTables,
  cycle: Cycle,
): Promise<ProbeAnswer> {
  const started = performance.now();
  const [names, before] = await Promise.all([
    listTables({ store: deps.lake }),
    recall<LakeMemory>(deps.lake, 'lake'),
  ]);
  const nowMs = deps.clock.nowMs();
  const measured = await mapLimited(names, PARALLEL, (name) =>
    measureTable(deps, tables, name, before?.tables[nameOf(name)], nowMs),
  );
  const layers = LAYERS.flatMap((layer) =>
    layerTotals(
      layer,
      measured.filter(({ name }) => name.layer === layer),
    ),
  );
  const memory: LakeMemory = {
    tables: Object.fromEntries(
      measured.flatMap(({ name, memory: one }) => (one ? [[nameOf(name), one] as const] : [])),
    ),
  };
  await remember(deps.lake, 'lake', memory);
  const unreadable = measured.filter((one) => one.memory === undefined).length;
  return handOver(deps.lake, 'lake', cycle.id, {
    started,
    detail: `${names.length} tables${unreadable > 0 ? `, ${unreadable} unreadable` : ''}`,
    measurements: [
      ...measured.flatMap(({ measurements }) => measurements),
      ...layers,
      ...(await measureDatasets(deps, memory, nowMs)),
      ...(await measureLive(deps.lake, nowMs)),
    ],
  });
}

function layerTotals(layer: string, measured: readonly Measured[]): Measurement[] {
  const sum = (of: (one: Measured) => number): number => measured.reduce((total, one) => total + of(one), 0);
  const figure = (metric: string, value: number): Measurement => ({ metric, labels: { layer }, value });
  return [
    figure('layer.tables', measured.length),
    figure(
      'layer.rows',
      sum(({ rows }) => rows),
    ),
    figure(
      'layer.bytes',
      sum(({ bytes }) => bytes),
    ),
    figure(
      'layer.files',
      sum(({ files }) => files),
    ),
  ];
}

async function measureTable(
  deps: MonitoringDeps,
  tables: LakeTables,
  name: TableName,
  before: LakeMemory['tables'][string] | undefined,
  nowMs: number,
): Promise<Measured> {
  const labels = { table: nameOf(name), layer: name.layer };
  const figure = (metric: string, value: number): Measurement => ({ metric, labels, value });
  const nothing = { name, memory: undefined, rows: 0, bytes: 0, files: 0 };
  const table = tables.table(name.layer, name.table);
  let snapshot: Snapshot | null;
  try {
    snapshot = await table.snapshotIfExists();
    if (!snapshot) return { ...nothing, measurements: [] };
  } catch (error) {
    // A store that is away is no fault of the table: the probe fails as a whole, and says so.
    if (!isTableFault(error)) throw error;
    const detail = (error instanceof Error ? error.message : String(error)).slice(0, 300);
    return { ...nothing, measurements: [{ ...figure('table.readable', 0), detail }] };
  }
  const { version, files, timestampMs, checkpointVersion = -1, metadata } = snapshot;
  const rows = rowCount(snapshot);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  // What an earlier version of the program remembered lacks a field: then the table is looked at anew.
  const known = before?.id === metadata.id && before.followed !== undefined ? before : undefined;
  const { freshest, followed, publishedAt } = await newestData(table, snapshot, known);
  const small = files.filter(({ size }) => size < deps.config.monitoring.smallFileMb * 2 ** 20).length;
  const measurements = [
    figure('table.readable', 1),
    figure('table.version', version),
    figure('table.rows', rows),
    figure('table.bytes', bytes),
    figure('table.files', files.length),
    figure('table.small_file_ratio', files.length > 1 ? small / files.length : 0),
    figure('table.commits_since_checkpoint', version - checkpointVersion),
    figure('table.changed_seconds', (nowMs - timestampMs) / 1000),
    ...(publishedAt === null ? [] : [figure('table.published_seconds', (nowMs - publishedAt) / 1000)]),
    ...(freshest === null ? [] : [figure('table.freshness_seconds', (nowMs - freshest) / 1000)]),
    ...(name.layer === 'quarantine' ? [figure('quarantine.rows', rows)] : []),
    ...(name.layer === 'quarantine' && known
      ? [figure('quarantine.new_rows', Math.max(0, rows - known.rows))]
      : []),
  ];
  return {
    name,
    measurements,
    rows,
    bytes,
    files: files.length,
    memory: { id: metadata.id, version, rows, freshest, followed, publishedAt },
  };
}

type Newest = Pick<LakeMemory['tables'][string], 'freshest' | 'followed' | 'publishedAt'>;

/**
 * The newest logical time that published rows (DESIGN law 6): an old backfill has an older one, an empty run publishes
 * none, so neither makes a table look fresh. Only commits since the last sample are read.
 */
async function newestData(
  table: DeltaTable,
  snapshot: Snapshot,
  known: LakeMemory['tables'][string] | undefined,
): Promise<Newest> {
  if (known) {
    const unread = Math.min(snapshot.version - known.version, HISTORY_MAX);
    return unread <= 0 ? known : newestOf(await publishesOf(table, unread), known);
  }
  const nothing: Newest = { freshest: null, followed: null, publishedAt: null };
  const first = newestOf(await publishesOf(table, FIRST_LOOK), nothing);
  // Maintenance may have made more commits than that since the last rows came.
  if (first.freshest !== null || snapshot.version < FIRST_LOOK) return first;
  return newestOf(await publishesOf(table, HISTORY_MAX), nothing);
}

async function publishesOf(table: DeltaTable, limit: number) {
  return (await table.history({ limit })).flatMap(({ info }) => {
    const note = noteOf(info);
    return note?.kind === 'publish' ? [{ note, at: info.timestamp ?? 0 }] : [];
  });
}

/** Commits that are read twice change nothing: only the newest of each kind counts. */
function newestOf(publishes: Awaited<ReturnType<typeof publishesOf>>, known: Newest): Newest {
  let { freshest, followed, publishedAt } = known;
  for (const { note, at } of publishes) {
    const logicalMs = Date.parse(note.run.logicalTime);
    publishedAt = Math.max(publishedAt ?? 0, at);
    followed = Math.max(followed ?? 0, logicalMs);
    if (note.ledger.accepted > 0 || note.rows > 0) freshest = Math.max(freshest ?? 0, logicalMs);
  }
  return { freshest, followed, publishedAt };
}

function isTableFault(error: unknown): boolean {
  return !(error instanceof DatalabError && error.code.startsWith('STORE_'));
}
