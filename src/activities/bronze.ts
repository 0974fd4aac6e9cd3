/** Bronze: new sources into staged files, and the dataset's checks on them. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Audit, Staged } from '../contracts/activities.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { Ledger } from '../contracts/ledger.js';
import type { RunRef } from '../contracts/run.js';
import type { LocalSource } from '../contracts/sources.js';
import { checkoutScan, type Snapshot } from '../delta/index.js';
import { ingest, type Ingested } from '../medallion/ingest.js';
import { ingestTransaction, objectTransaction, sourceTransaction } from '../medallion/transactions.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { judge } from '../quality/judge.js';
import { checkSql, type Measured } from '../quality/measure.js';
import type { ActivityDeps } from './deps.js';
import { sizeOf, stageAll } from './stage.js';
import {
  readManifest,
  writeManifest,
  type SourceManifest,
  type StagedTransaction,
  type StagingManifest,
} from './staging.js';
import { runStep, type StepContext } from './step.js';
import { rowCount, stateOf, type LakeTables } from './tables.js';

const NO_ROWS: Ledger = { read: 0, accepted: 0, duplicate: 0, quarantined: 0 };

export async function writeBronze(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  sourcesKey: string,
): Promise<Staged> {
  const name = `bronze.${run.dataset}`;
  const { step, value } = await runStep<Omit<Staged, 'step'>>(
    `write ${name}`,
    deps.scratchDirectory,
    async (context) => {
      const [dataset, bronze, manifest] = await Promise.all([
        deps.loadDataset(run.dataset),
        tables.table('bronze', run.dataset).snapshotIfExists(),
        readManifest<SourceManifest>(deps.lake, sourcesKey),
      ]);
      const sources = await download(deps, manifest, bronze, context);
      if (sources.length === 0) {
        const current = bronze && stateOf(name, bronze, false);
        const detail = 'every source holds bytes that are known under another name';
        return {
          outcome: 'skipped',
          rows: 0,
          bytes: 0,
          detail,
          value: { manifest: null, ledger: NO_ROWS, current },
        };
      }
      const ingested = await ingest({
        engine: deps.engine,
        dataset,
        sources,
        scratchDirectory: context.scratch,
        outputDirectory: context.scratch,
        run: { runId: run.runId, at: new Date(deps.clock.nowMs()).toISOString() },
        onProgress: context.progress,
        signal: context.signal,
      });
      for (const warning of ingested.warnings) deps.log({ run: run.runId, step: name }, warning);
      const key = await stageBronze(deps, tables, run, dataset, bronze, sources, ingested, context);
      const { read, quarantined } = ingested.ledger;
      return {
        ...sizeOf(ingested.bronze),
        detail: `${sources.length} source(s), ${read} rows read${quarantined > 0 ? `, ${quarantined} quarantined` : ''}`,
        value: { manifest: key, ledger: ingested.ledger, current: null },
      };
    },
  );
  return { step, ...value };
}

/** Brings the sources here, hashes them, and leaves out those whose bytes Bronze holds already. */
async function download(
  deps: ActivityDeps,
  { sources }: SourceManifest,
  bronze: Snapshot | null,
  { scratch, signal, progress }: StepContext,
): Promise<LocalSource[]> {
  const directory = path.join(scratch, 'sources');
  await mkdir(directory, { recursive: true });
  const fresh: LocalSource[] = [];
  for (const [index, source] of sources.entries()) {
    signal.throwIfAborted();
    progress({ phase: 'fetching sources', done: index, total: sources.length, unit: 'sources' });
    const local = await deps.sources.download(source, directory, { signal });
    if (!bronze?.transaction(sourceTransaction(local.sourceId))) fresh.push(local);
  }
  return fresh;
}

async function stageBronze(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  dataset: DatasetDefinition,
  bronze: Snapshot | null,
  sources: readonly LocalSource[],
  ingested: Ingested,
  context: StepContext,
): Promise<string> {
  const { schema, quarantineSchema } = ingested;
  const [adds, quarantineAdds] = await Promise.all([
    stageAll(deps, tables.store('bronze', run.dataset), ingested.bronze, { schema }, context),
    stageAll(
      deps,
      tables.store('quarantine', run.dataset),
      ingested.quarantine,
      { schema: quarantineSchema, partitionValues: { layer: 'bronze' } },
      context,
    ),
  ]);
  const refusedSources = ingested.perSource
    .filter((source) => source.quarantined > 0)
    .map((source) => source.sourceId);
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
    transactions: bronzeTransactions(run.dataset, bronze, sources),
    fingerprint: fingerprintOf([dataset.source, dataset.columns]),
    ledger: ingested.ledger,
    quarantine:
      quarantineAdds.length === 0
        ? null
        : { schema: quarantineSchema, adds: quarantineAdds, mode: 'append', sourceIds: refusedSources },
  };
  return writeManifest(deps.lake, run, `bronze.${run.dataset}`, deps.newId(), manifest);
}

/** One per source identity, one per object as seen, and one that makes two ingests of a dataset conflict. */
function bronzeTransactions(
  dataset: string,
  bronze: Snapshot | null,
  sources: readonly LocalSource[],
): StagedTransaction[] {
  const ingest = ingestTransaction(dataset);
  const appIds = sources.flatMap((source) => [sourceTransaction(source.sourceId), objectTransaction(source)]);
  return [
    { appId: ingest, version: (bronze?.transaction(ingest)?.version ?? 0) + 1 },
    ...[...new Set(appIds)].map((appId) => ({ appId, version: 1 })),
  ];
}

/** Measures the checks on the staged files themselves, as they were uploaded, not on what was meant to be written. */
export async function auditBronze(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  staged: Staged,
): Promise<Audit> {
  const { step, value } = await runStep(
    `audit bronze.${run.dataset}`,
    deps.scratchDirectory,
    async ({ signal }) => {
      if (staged.manifest === null) throw new Error('an audit needs staged files');
      const [dataset, bronze, manifest] = await Promise.all([
        deps.loadDataset(run.dataset),
        tables.table('bronze', run.dataset).snapshotIfExists(),
        readManifest<StagingManifest>(deps.lake, staged.manifest),
      ]);
      const { schema, adds, rows } = manifest;
      const store = tables.store('bronze', run.dataset);
      const scan = await checkoutScan(store, { schema, partitionColumns: [], files: adds }, { signal });
      const session = await deps.engine.open({ inputs: scan.inputs, signal });
      try {
        const [measured] = await session.rows<Measured>(
          checkSql(dataset.checks, deps.engine.relation(scan.plan)),
        );
        const verdict = judge(dataset.checks, measured ?? {}, {
          publishedRows: bronze ? rowCount(bronze) : 0,
          newRows: rows,
        });
        const failed = verdict.results.filter((result) => result.outcome === 'failed').length;
        const score = verdict.score === null ? 'no score' : `score ${verdict.score.toFixed(3)}`;
        return {
          rows,
          bytes: 0,
          detail: `${verdict.results.length} checks, ${failed} failed, ${score}`,
          value: verdict,
        };
      } finally {
        await session.close();
        scan.release();
      }
    },
  );
  return { step, verdict: value };
}
