/** Bronze: new sources into staged files. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { PlannedRun, ShareNumber, Staged } from '../contracts/activities.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { NO_ROWS } from '../contracts/ledger.js';
import type { LocalSource, SourceObject } from '../contracts/sources.js';
import { mapLimited, type Snapshot } from '../delta/index.js';
import { identified } from '../medallion/identity.js';
import { ingest, type Ingested } from '../medallion/ingest.js';
import {
  ingestTransaction,
  objectTransaction,
  offsetsTransaction,
  sourceTransaction,
} from '../medallion/transactions.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import { isToTake } from './offsets.js';
import { sizeOf, stageRefused } from './stage.js';
import {
  readManifest,
  writeManifest,
  type SourceManifest,
  type StagedTransaction,
  type StagingManifest,
} from './staging.js';
import { runStep, type StepContext } from './step.js';
import { stateOf, type LakeTables } from './tables.js';
import { withUploads, type Uploads } from './uploads.js';

const PARALLEL_DOWNLOADS = 8;

export async function writeBronze(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  sourcesKey: string,
  share?: ShareNumber,
): Promise<Staged> {
  const name = `bronze.${run.dataset}`;
  const { step, value } = await runStep<Omit<Staged, 'step'>>(
    share ? `write ${name}, share ${share.number} of ${share.of}` : `write ${name}`,
    deps.scratchDirectory,
    (context) =>
      withUploads(deps, tables.store('bronze', run.dataset), context.signal, async (uploads) => {
        const [dataset, bronze, manifest] = await Promise.all([
          plannedDataset(deps, run),
          tables.table('bronze', run.dataset).snapshotIfExists(),
          readManifest<SourceManifest>(deps.lake, sourcesKey),
        ]);
        const wanted = manifest.sources.filter((source) => isToTake(source, bronze));
        const seen = await download(deps, dataset, wanted, context);
        const sources = seen.filter((source) => !bronze?.transaction(sourceTransaction(source.sourceId)));
        if (sources.length === 0) {
          const current = bronze && stateOf(name, bronze, false);
          const detail = 'every source holds what is known already, under another name or by another run';
          return {
            outcome: 'skipped',
            rows: 0,
            bytes: 0,
            detail,
            value: { manifest: null, ledger: NO_ROWS, sources: 0, current },
          };
        }
        const ingested = await ingest({
          engine: deps.engine,
          dataset,
          sources,
          outputDirectory: context.scratch,
          run: { runId: run.runId, at: new Date(deps.clock.nowMs()).toISOString() },
          onFile: (file) => uploads.begin(file),
          onProgress: context.progress,
          signal: context.signal,
        });
        for (const warning of ingested.warnings) deps.log({ run: run.runId, step: name }, warning, 'warn');
        const key = await stageBronze(deps, tables, run, dataset, bronze, seen, ingested, context, uploads);
        const { read, quarantined } = ingested.ledger;
        return {
          ...sizeOf(ingested.bronze),
          detail: `${sources.length} source(s), ${read} rows read${quarantined > 0 ? `, ${quarantined} quarantined` : ''}`,
          value: { manifest: key, ledger: ingested.ledger, sources: sources.length, current: null },
        };
      }),
  );
  return { step, ...value };
}

/** Brings the sources here, several at a time, and gives each its identity. */
async function download(
  deps: ActivityDeps,
  dataset: DatasetDefinition,
  sources: readonly SourceObject[],
  { scratch, signal, progress }: StepContext,
): Promise<LocalSource[]> {
  const directory = path.join(scratch, 'sources');
  await mkdir(directory, { recursive: true });
  let done = 0;
  let bytes = 0;
  const total = sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const inBytes = sources.every(({ sizeBytes, offsets }) => sizeBytes > 0 && !offsets);
  const tell = (): void =>
    progress({
      phase: 'fetching sources',
      ...(inBytes ? { done: bytes, total, unit: 'bytes' } : { done, total: sources.length, unit: 'sources' }),
    });
  return mapLimited(sources, PARALLEL_DOWNLOADS, async (source) => {
    signal.throwIfAborted();
    const onBytes = (more: number): void => {
      bytes += more;
      tell();
    };
    const local = await deps.sources.download(source, directory, { signal, onBytes });
    done++;
    tell();
    return identified(dataset, local);
  });
}

async function stageBronze(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  dataset: DatasetDefinition,
  bronze: Snapshot | null,
  sources: readonly LocalSource[],
  ingested: Ingested,
  context: StepContext,
  uploads: Uploads,
): Promise<string> {
  const { schema } = ingested;
  const generation = (bronze?.transaction(ingestTransaction(run.dataset))?.version ?? 0) + 1;
  const refused = {
    files: ingested.quarantine,
    schema: ingested.quarantineSchema,
    generation,
    replaces: false,
  };
  const [adds, quarantine] = await Promise.all([
    uploads.adds(ingested.bronze, { schema }),
    stageRefused(deps, tables.store('quarantine', run.dataset), 'bronze', refused, context),
  ]);
  const manifest: StagingManifest = {
    stagedAtMs: deps.clock.nowMs(),
    layer: 'bronze',
    table: run.dataset,
    dataset: run.dataset,
    baseVersion: bronze?.version ?? null,
    mode: 'append',
    schema,
    adds,
    rows: ingested.ledger.accepted,
    transactions: bronzeTransactions(run.dataset, generation, sources),
    fingerprint: fingerprintOf([dataset.source, dataset.columns]),
    ledger: ingested.ledger,
    quarantine,
    unknownColumns: ingested.unknownColumns,
    origin: {
      location: dataset.source.location,
      // Under which name a column with aliases came, each source has its own answer.
      columns: dataset.columns.filter(({ aliases }) => aliases === undefined).map(({ name }) => name),
    },
  };
  return writeManifest(deps.lake, run, `bronze.${run.dataset}`, deps.newId(), manifest);
}

/**
 * One per source identity, one per object as seen (also of objects whose bytes were known, so that they are not fetched
 * again), or the next offset of a Kafka partition; and one that makes two ingests of a dataset conflict.
 */
function bronzeTransactions(
  dataset: string,
  generation: number,
  sources: readonly LocalSource[],
): StagedTransaction[] {
  const versions = new Map([[ingestTransaction(dataset), generation]]);
  for (const source of sources) {
    if (source.offsets) versions.set(offsetsTransaction(source.offsets), source.offsets.to);
    else versions.set(sourceTransaction(source.sourceId), 1).set(objectTransaction(source), 1);
  }
  return [...versions].map(([appId, version]) => ({ appId, version }));
}
