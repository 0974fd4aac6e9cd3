/**
 * Replay: rows that Bronze refused are read again under the definition as it is now, and those that pass are staged for
 * Bronze under the place that they were refused at. Whoever dies between Bronze's commit and the release leaves rows in
 * both places, which the next release sees: a row that Bronze holds is never owed.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { PlannedRun } from '../contracts/activities.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { NO_ROWS, type Ledger } from '../contracts/ledger.js';
import type { ReplayFigures, ReplayFilter, StagedReplay } from '../contracts/replay.js';
import type { EngineSession, Snapshot, WrittenFile } from '../delta/index.js';
import { ingest, type Ingested } from '../medallion/ingest.js';
import { addLedgers, balanced } from '../medallion/ledger.js';
import {
  againViews,
  NEWLY_REFUSED,
  outcomes,
  OWED_ROWS,
  OWED_SOURCES,
  owedTable,
  type OwedSource,
} from '../medallion/replay.js';
import { bronzeSchema, QUARANTINE_SCHEMA } from '../medallion/schema.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { ingestTransaction } from '../medallion/transactions.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import { groundOf, withGround, type Ground } from './replay-ground.js';
import { fetchAgain, linesAgain, unreachableOf, type Reached } from './replay-sources.js';
import { sizeOf, stageAll, stageRefused } from './stage.js';
import { writeManifest, type StagingManifest } from './staging.js';
import { runStep, type StepContext } from './step.js';
import { stateOf, type LakeTables } from './tables.js';

const NOTHING: ReplayFigures = { tried: 0, accepted: 0, refused: 0, unreachable: 0, problems: [] };

export async function writeReplay(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  filter: ReplayFilter,
): Promise<StagedReplay> {
  const name = `bronze.${run.dataset}`;
  const { step, value } = await runStep<Omit<StagedReplay, 'step'>>(
    `replay ${name}`,
    deps.scratchDirectory,
    async (context) => {
      const dataset = await plannedDataset(deps, run);
      const ground = await groundOf(deps, tables, run.dataset, filter, context);
      const skipped = (detail: string, replay = NOTHING, sources = 0) => ({
        outcome: 'skipped' as const,
        ...{ rows: 0, bytes: 0, detail },
        value: {
          ...{ manifest: null, ledger: NO_ROWS, sources, replay },
          current: ground && stateOf(name, ground.bronze, false),
        },
      });
      if (!ground) return skipped('nothing that Bronze refused is asked for');
      const tried = await tryAgain(deps, tables, run, dataset, ground, filter, context);
      const { replay, files, refused, sources } = tried;
      if (files.length === 0 && refused.length === 0) return skipped(describe(replay), replay, sources);
      const manifest = await stage(deps, tables, run, dataset, ground.bronze, tried, context);
      return {
        ...sizeOf(files),
        detail: describe(replay),
        value: { manifest, ledger: ledgerOf(replay), sources, current: null, replay },
      };
    },
  );
  return { step, ...value };
}

function ledgerOf({ tried, accepted, refused }: ReplayFigures): StagingManifest['ledger'] {
  return { read: tried, accepted, duplicate: 0, quarantined: refused };
}

function describe({ tried, accepted, refused, unreachable }: ReplayFigures): string {
  const parts = [`${tried} row(s) read again`, `${accepted} accepted`, `${refused} refused still`];
  if (unreachable > 0) parts.push(`${unreachable} out of reach`);
  return parts.join(', ');
}

interface Tried {
  readonly replay: ReplayFigures;
  /** Rows for Bronze. */
  readonly files: readonly WrittenFile[];
  /** Lines of files that were refused whole and can be read by now. */
  readonly refused: readonly WrittenFile[];
  readonly sources: number;
}

/** Reads what is owed again, and keeps of it what is owed. */
async function tryAgain(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  dataset: DatasetDefinition,
  ground: Ground,
  filter: ReplayFilter,
  context: StepContext,
): Promise<Tried> {
  const { scratch, signal, progress } = context;
  const reached = await withGround(deps, tables, ground, [], context, async ({ session }) => {
    await session.run(owedTable(filter));
    return reach(deps, dataset, session, context);
  });
  const { sources } = reached;
  const out = unreachableOf(reached);
  if (sources.length === 0) return { replay: { ...NOTHING, ...out }, files: [], refused: [], sources: 0 };
  const outputDirectory = path.join(scratch, 'again');
  await mkdir(outputDirectory);
  const ingested = await ingest({
    ...{ engine: deps.engine, dataset, sources, outputDirectory },
    run: { runId: run.runId, at: new Date(deps.clock.nowMs()).toISOString() },
    ...{ onProgress: progress, signal },
  });
  const inputs = [...ingested.bronze, ...ingested.quarantine].map(({ localPath }) => localPath);
  const kept = await withGround(deps, tables, ground, inputs, context, async ({ session }) => {
    await session.run(owedTable(filter));
    return keepOwed(session, ingested, reached);
  });
  return { ...kept, replay: { ...kept.replay, ...out }, sources: sources.length };
}

/** Brings what is owed here: from the quarantine where that has all there is to know, else from where it came. */
async function reach(
  deps: ActivityDeps,
  dataset: DatasetDefinition,
  session: EngineSession,
  context: StepContext,
): Promise<Again> {
  const directory = path.join(context.scratch, 'sources');
  await mkdir(directory, { recursive: true });
  const owed = await session.rows<OwedSource>(OWED_SOURCES);
  const isKept = ({ whole }: OwedSource): boolean => dataset.source.format === 'jsonl' && !whole;
  const lines = owed.filter(isKept);
  const files = owed.filter((source) => !isKept(source));
  const kept = lines.length > 0 ? await linesAgain(session, lines, directory) : NONE;
  const fetched = files.length > 0 ? await fetchAgain(deps, dataset, files, directory, context) : NONE;
  return {
    sources: [...kept.sources, ...fetched.sources],
    unreachable: [...kept.unreachable, ...fetched.unreachable],
    whole: new Set(owed.filter(({ whole }) => whole).map(({ id }) => id)),
  };
}

const NONE: Reached = { sources: [], unreachable: [] };

/** What can be read again, and which of it was refused as whole files. */
interface Again extends Reached {
  readonly whole: ReadonlySet<string>;
}

/** Of what reading again gave, the rows that are owed. Throws LEDGER_UNBALANCED where one of them has no outcome. */
async function keepOwed(
  session: EngineSession,
  { bronze, quarantine, perSource }: Ingested,
  { sources, whole }: Again,
): Promise<Pick<Tried, 'replay' | 'files' | 'refused'>> {
  const pathsOf = (files: readonly WrittenFile[]): string[] => files.map(({ localPath }) => localPath);
  await session.run(againViews(pathsOf(bronze), pathsOf(quarantine)));
  const accepted = await session.writeParquet(OWED_ROWS, 'replayed.parquet');
  const refused = await session.writeParquet(NEWLY_REFUSED, 'refused-again.parquet');
  const lines = sources.map(({ sourceId }) => sourceId).filter((id) => !whole.has(id));
  const [ofLines] = await session.rows<Omit<Ledger, 'duplicate'>>(outcomes(lines));
  const ledger = addLedgers([
    { read: 0, accepted: 0, quarantined: 0, ...ofLines, duplicate: 0 },
    ...perSource.filter(({ sourceId }) => whole.has(sourceId)).map((each) => ({ ...each, duplicate: 0 })),
  ]);
  balanced('the rows that were read again', ledger);
  const { read, quarantined } = ledger;
  return {
    files: accepted ? [accepted] : [],
    refused: refused ? [refused] : [],
    replay: { ...NOTHING, tried: read, accepted: ledger.accepted, refused: quarantined },
  };
}

/** Stages the accepted rows as an append that no ingest can pass unnoticed. */
async function stage(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  dataset: DatasetDefinition,
  bronze: Snapshot,
  { files, refused, replay }: Tried,
  context: StepContext,
): Promise<string> {
  const appId = ingestTransaction(run.dataset);
  const generation = (bronze.transaction(appId)?.version ?? 0) + 1;
  const schema = bronzeSchema(dataset);
  const [adds, quarantine] = await Promise.all([
    stageAll(deps, tables.store('bronze', run.dataset), files, { schema }, context),
    stageRefused(
      deps,
      tables.store('quarantine', run.dataset),
      'bronze',
      { files: refused, schema: QUARANTINE_SCHEMA, generation, replaces: false },
      context,
    ),
  ]);
  const manifest: StagingManifest = {
    stagedAtMs: deps.clock.nowMs(),
    ...{ layer: 'bronze', table: run.dataset, dataset: run.dataset },
    ...{ baseVersion: bronze.version, mode: 'append', schema, adds },
    rows: replay.accepted,
    transactions: [{ appId, version: generation }],
    fingerprint: fingerprintOf([dataset.source, dataset.columns]),
    ledger: ledgerOf(replay),
    quarantine,
  };
  return writeManifest(deps.lake, run, `bronze.${run.dataset}`, deps.newId(), manifest);
}
