/**
 * Champions in use: their predictions by key, joined with the truth that the Gold table has by now, and how far what they say has
 * moved from what they said on the holdout.
 */
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { MlflowVersion } from '../../connectors/mlflow/index.js';
import { DatalabError } from '../../contracts/errors.js';
import type { ScheduledTime } from '../../contracts/expected-runs.js';
import { LOSSES, outputsOf, type ModelDefinition } from '../../contracts/model.js';
import { WATCH_MEMORY, type LiveModel, type WatchMemory } from '../../contracts/model-watch.js';
import { checkoutScan, type Snapshot } from '../../delta/index.js';
import { featureSelect, META } from '../../ml/features.js';
import { decodeRows } from '../../ml/matrix.js';
import { classStability, measure, stability } from '../../ml/metrics.js';
import { openPredictor } from '../../ml/predictor.js';
import { holdoutSplit } from '../../ml/splits.js';
import { recordOwnEnd } from '../expected-runs.js';
import { remember } from '../monitoring/memory.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import { mlflowOf } from './common.js';
import type { TrainingDeps } from './deps.js';
import { PREDICTIONS_TABLE } from './take-predictions.js';

/** Predictions of so many days are looked at. */
const DAYS = 30;
const DAY_MS = 86_400_000;
/** Fewer say nothing. */
const ROWS_MIN = 30;
const REFERENCE_MAX = 20_000;

/** What each version said on its holdout: it never changes, and is asked for every quarter of an hour. */
const references = new Map<string, readonly number[]>();

export async function measureModels(
  deps: TrainingDeps,
  tables: LakeTables,
  at: string,
  scheduled?: ScheduledTime,
): Promise<readonly LiveModel[]> {
  const { value } = await runStep('measure models', deps.scratchDirectory, async ({ signal, progress }) => {
    const mlflow = mlflowOf(deps);
    const models: LiveModel[] = [];
    const predictions = await tables.table('meta', PREDICTIONS_TABLE).snapshotIfExists();
    const all = [...(await mlflow.allAliases())].sort(([left], [right]) => (left < right ? -1 : 1));
    for (const [name, { champion }] of all) {
      signal.throwIfAborted();
      progress({ phase: 'models', done: models.length, total: all.length, unit: 'models' });
      const version = (await mlflow.versions(name)).find((one) => one.version === champion);
      if (version?.tags['datalab.model'] === undefined) continue;
      models.push(await measureModel(deps, tables, { name, version, predictions, at, signal }));
    }
    const memory: WatchMemory = { at, models };
    const problem = await remember(deps.lake, WATCH_MEMORY, memory);
    if (problem !== undefined) throw new DatalabError('STORE_UNAVAILABLE', problem);
    if (scheduled) {
      const finishedAt = new Date(deps.clock.nowMs()).toISOString();
      await recordOwnEnd(deps, tables, {
        ...{ ...scheduled, outcome: 'ok', startedAt: at, finishedAt, rows: null, detail: '' },
        execution: Context.current().info.workflowExecution,
      });
    }
    return { rows: models.length, bytes: 0, detail: `${models.length} models`, value: models };
  });
  return value;
}

interface Asked {
  readonly name: string;
  readonly version: MlflowVersion;
  readonly predictions: Snapshot | null;
  readonly at: string;
  readonly signal: AbortSignal;
}

/** A model that cannot be measured says why, and keeps nobody from measuring the others. */
async function measureModel(deps: TrainingDeps, tables: LakeTables, asked: Asked): Promise<LiveModel> {
  const { name, version } = asked;
  const nothing = { judged: 0, live: null, holdout: null, degradation: null, predictions: 0, drift: null };
  const base = { model: name, version: version.version, metric: '', ...nothing };
  try {
    const model = await deps.loadModel(name);
    const { metric } = model;
    const figures = version.runId === undefined ? {} : await mlflowOf(deps).metrics(version.runId);
    const holdout = figures[`holdout_${metric}`] ?? null;
    const { truth, said, spoken } = await joined(deps, tables, model, asked);
    const { kind, threshold } = model.target;
    const live = truth.length < ROWS_MIN ? null : (measure(kind, truth, said, threshold)[metric] ?? null);
    const drift =
      spoken.length < ROWS_MIN ? null : driftOf(model, await referenceOf(deps, model, version), spoken);
    return {
      ...{ ...base, metric, judged: truth.length, live, holdout, predictions: spoken.length, drift },
      ...{ degradation: degradationOf(metric, live, holdout), problem: null },
    };
  } catch (error) {
    if (asked.signal.aborted || (error instanceof DatalabError && error.retry)) throw error;
    return { ...base, problem: (error as Error).message.slice(0, 300) };
  }
}

const driftOf = ({ target }: ModelDefinition, before: readonly number[], after: readonly number[]): number =>
  target.kind === 'multiclass' ? classStability(before, after, outputsOf(target)) : stability(before, after);

function degradationOf(metric: string, live: number | null, holdout: number | null): number | null {
  if (live === null || holdout === null) return null;
  if (!LOSSES.has(metric)) return holdout - live;
  return holdout > 0 ? live / holdout - 1 : null;
}

interface Joined {
  readonly truth: readonly number[];
  /** Of several classes the probabilities of each row. */
  readonly said: readonly number[];
  /** All predictions of the version in those days. */
  readonly spoken: readonly number[];
}

async function joined(
  deps: TrainingDeps,
  tables: LakeTables,
  model: ModelDefinition,
  { name, version, predictions, at, signal }: Asked,
): Promise<Joined> {
  const gold = await tables.table('gold', model.table).snapshotIfExists();
  if (!predictions || !gold) return { truth: [], said: [], spoken: [] };
  const [log, rows] = [
    await checkoutScan(tables.store('meta', PREDICTIONS_TABLE), predictions, { signal }),
    await checkoutScan(tables.store('gold', model.table), gold, { signal }),
  ];
  try {
    const session = await deps.engine.open({ inputs: [...log.inputs, ...rows.inputs], signal });
    try {
      const since = new Date(Date.parse(at) - DAYS * DAY_MS).toISOString();
      const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
      await session.run(
        `CREATE TABLE said AS SELECT id, predicted_at, key, epoch_ms(feature_time) AS t, prediction, ${probabilitiesIn(predictions)} FROM ${deps.engine.relation(log.plan)}
         WHERE model = ${text(name)} AND version = ${text(version.version)} AND predicted_at >= TIMESTAMPTZ ${text(since)}`,
      );
      // A key that is asked for often is not more important: its last answer for each time counts.
      const found = await session.rows<{ y: number; p: number; probabilities: string | null }>(
        `WITH truth AS (${featureSelect(model, deps.engine.relation(rows.plan), { target: true })}),
         last AS (SELECT * FROM said WHERE key IS NOT NULL
                  QUALIFY row_number() OVER (PARTITION BY key, t ORDER BY predicted_at DESC, id DESC) = 1)
         SELECT truth.${META.target} AS y, last.prediction AS p, last.probabilities FROM last
         JOIN truth ON truth.${META.key} = last.key AND truth.${META.time} = last.t
         WHERE truth.${META.target} IS NOT NULL ORDER BY last.t, last.key`,
      );
      const spoken = await session.rows<{ p: number }>(
        `SELECT prediction AS p FROM said ORDER BY predicted_at DESC, id LIMIT ${REFERENCE_MAX}`,
      );
      return {
        ...scored(model, found),
        spoken: spoken.map(({ p }) => p),
      };
    } finally {
      await session.close();
    }
  } finally {
    log.release();
    rows.release();
  }
}

/** Tables that were made before there were several classes have no such column. */
const probabilitiesIn = ({ schema }: Snapshot): string =>
  schema.fields.some(({ name }) => name === 'probabilities')
    ? 'probabilities'
    : 'NULL::VARCHAR AS probabilities';

const listSchema = z.array(z.number());

/** Truth and what was said of it. A row without the probability of every class cannot be judged. */
function scored(
  { target }: ModelDefinition,
  found: ReadonlyArray<{ readonly y: number; readonly p: number; readonly probabilities: string | null }>,
): Pick<Joined, 'truth' | 'said'> {
  if (target.kind !== 'multiclass') return { truth: found.map(({ y }) => y), said: found.map(({ p }) => p) };
  const whole = found.flatMap(({ y, probabilities }) => {
    const list = listSchema.parse(JSON.parse(probabilities ?? '[]'));
    // The place -1 is a class that the model file does not name.
    return list.length === outputsOf(target) && y >= 0 ? [{ y, list }] : [];
  });
  return { truth: whole.map(({ y }) => y), said: whole.flatMap(({ list }) => list) };
}

/** What the version says of its own holdout, from the feature file that its training left in MLflow. */
async function referenceOf(
  deps: TrainingDeps,
  model: ModelDefinition,
  { source }: MlflowVersion,
): Promise<readonly number[]> {
  const known = references.get(source);
  if (known) return known;
  const mlflow = mlflowOf(deps);
  const [json, file] = await Promise.all([
    mlflow.getArtifact(source, 'model.json'),
    mlflow.getArtifact(source.replace(/\/model$/, ''), 'features.arrow'),
  ]);
  const predictor = openPredictor(json.toString());
  const data = decodeRows(file);
  const { test } = holdoutSplit(data, model.splits);
  const made = test.slice(-REFERENCE_MAX).map((row) => predictor.predict(data.x, row * data.names.length));
  references.set(source, made);
  return made;
}
