/** The plan of a training, and its features: one version of a Gold table as one file in the lake. */
import { createHash } from 'node:crypto';
import { DatalabError } from '../../contracts/errors.js';
import type {
  BuiltFeatures,
  PlannedTraining,
  TrainingOptions,
  TrainingPlan,
  TrainingRun,
} from '../../contracts/ml-flows.js';
import { featureNames, type ModelDefinition } from '../../contracts/model.js';
import { identifier } from '../../contracts/sql-text.js';
import { checkoutScan, DeltaError, type EngineSession, type Snapshot } from '../../delta/index.js';
import { collectRows } from '../../ml/collect.js';
import { featureSelect } from '../../ml/features.js';
import { encodeRows } from '../../ml/matrix.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import { folderOf, mlflowOf, plannedModel } from './common.js';
import type { TrainingDeps } from './deps.js';

/** Reads the model and pins the version of its table. */
export async function planTraining(
  deps: TrainingDeps,
  tables: LakeTables,
  run: TrainingRun,
  options: TrainingOptions,
): Promise<TrainingPlan> {
  mlflowOf(deps);
  const model = await deps.loadModel(run.model);
  const { candidates, leftOut } = trainable(model, deps.library);
  const { goldVersion } = options;
  const at = goldVersion === undefined ? model.asOf : { version: goldVersion };
  const snapshot = await pinned(tables, model.table, at);
  const { retries, limits } = deps.config;
  return {
    ...{ fingerprint: model.fingerprint, model: model.name, table: model.table, metric: model.metric },
    ...{ tableId: snapshot.metadata.id, goldVersion: snapshot.version },
    ...{ candidates, leftOut },
    ...{ deploy: model.deploy, approval: model.gate.approval },
    heavy: {
      startToCloseSeconds: limits.mlops.timeoutMinutes * 60,
      heartbeatSeconds: retries.heartbeatSeconds,
      maximumAttempts: retries.heavyAttempts,
      initialIntervalSeconds: retries.initialIntervalSeconds,
    },
  };
}

/** What this machine can train, and what not, and why. Throws MODEL_ENGINE_MISSING where it is nothing. */
function trainable(
  { name: model, candidates }: ModelDefinition,
  library: string | undefined,
): Pick<TrainingPlan, 'candidates' | 'leftOut'> {
  const reason = "XGBoost's library is not on the machine of the pool ml";
  const left = candidates.filter(({ kind }) => library === undefined && kind !== 'linear');
  const stay = candidates.filter((one) => !left.includes(one));
  if (stay.length === 0)
    throw new DatalabError('MODEL_ENGINE_MISSING', `${reason}, and model '${model}' has only trees to try`);
  return {
    candidates: stay.map(({ name }) => name),
    leftOut: left.map(({ name }) => ({ name, reason })),
  };
}

async function pinned(tables: LakeTables, table: string, asOf: ModelDefinition['asOf']): Promise<Snapshot> {
  const at = asOf && ('time' in asOf ? { timestampMs: Date.parse(asOf.time) } : asOf);
  try {
    return await tables.table('gold', table).snapshot(at);
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
    throw new DatalabError(
      'MODEL_TABLE_MISSING',
      `gold.${table}${asOf === undefined ? '' : 'time' in asOf ? ` as of ${asOf.time}` : ` version ${asOf.version}`}: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

export async function buildFeatures(
  deps: TrainingDeps,
  tables: LakeTables,
  run: PlannedTraining,
): Promise<BuiltFeatures> {
  const model = await plannedModel(deps, run);
  const { step, value } = await runStep(
    `features ${model.name}`,
    deps.scratchDirectory,
    async ({ signal, progress }) => {
      progress({ phase: 'features', done: 0, total: 3, unit: 'parts' });
      const snapshot = await pinned(tables, model.table, { version: run.plan.goldVersion });
      const scan = await checkoutScan(tables.store('gold', model.table), snapshot, { signal });
      const session = await deps.engine.open({ inputs: scan.inputs, signal });
      try {
        await load(session, model, deps.engine.relation(scan.plan));
        progress({ phase: 'features', done: 1, total: 3, unit: 'parts' });
        const { data, read, withoutTarget, incomplete } = await collectRows(
          model,
          session.stream(featureSelect(model, 'gold_rows', { target: true })),
          deps.memoryMb,
        );
        progress({ phase: 'features', done: 2, total: 3, unit: 'parts' });
        const leaks = await findLeaks(session, model);
        const bytes = encodeRows(data);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const key = `${folderOf(run)}/features.arrow`;
        await deps.lake.put(key, bytes);
        // Candidates that could not be trained here may be elsewhere: another outcome.
        const without = run.plan.leftOut.map(({ name }) => ` without ${name}`).join('');
        const text = `${sha256} ${model.fingerprint} 1${without}`;
        const identity = createHash('sha256').update(text).digest('hex');
        return {
          ...{ rows: data.rows, bytes: bytes.length },
          detail: `${data.rows} of ${read} rows of gold.${model.table} version ${snapshot.version}, ${data.names.length} features; ${withoutTarget} without a target yet, ${incomplete} incomplete`,
          value: { key, sha256, rows: data.rows, leaks, identity },
        };
      } finally {
        await session.close();
        scan.release();
      }
    },
  );
  return { step, ...value };
}

/** The pinned rows as a table of the session, after a look at whether the model's columns are there. */
async function load(session: EngineSession, model: ModelDefinition, relation: string): Promise<void> {
  await session.run(`CREATE TABLE gold_rows AS SELECT * FROM ${relation}`);
  await session.describe(featureSelect(model, 'gold_rows', { target: true })).catch((error: unknown) => {
    throw new DatalabError(
      'MODEL_COLUMNS_MISSING',
      `model '${model.name}' does not fit gold.${model.table}: ${(error as Error).message.slice(0, 800)}`,
      { cause: error },
    );
  });
}

/**
 * Features that are others when the rows after a time are not there yet, at three times; and those that are the target
 * itself. Expressions hold no subqueries (see config/model.ts), so taking rows away reaches all that they read.
 */
export async function findLeaks(session: EngineSession, model: ModelDefinition): Promise<string[]> {
  const names = featureNames(model.features);
  const time = identifier(model.time);
  const differs = (name: string): string => {
    const [a, b] = [`a.${identifier(name)}`, `b.${identifier(name)}`];
    return `count(*) FILTER ((${a} IS NULL) <> (${b} IS NULL) OR abs(${a} - ${b}) > 1e-6 * (1 + abs(${a}))) AS ${identifier(name)}`;
  };
  const whole = featureSelect(model, 'gold_rows', { target: true });
  await session.run(`CREATE TABLE whole_features AS ${whole}`);
  const [cuts] = await session.rows<Record<string, string | null>>(
    `SELECT ${[0.4, 0.7, 0.95].map((at, i) => `quantile_disc(${time}, ${at})::VARCHAR AS c${i}`).join(', ')} FROM gold_rows`,
  );
  const leaks = new Set<string>();
  for (const cut of Object.values(cuts ?? {})) {
    if (cut === null) continue;
    const known = `(SELECT * FROM gold_rows WHERE ${time}::VARCHAR <= '${cut}')`;
    const [found] = await session.rows<Record<string, bigint>>(
      `SELECT ${names.map(differs).join(', ')} FROM whole_features a JOIN (${featureSelect(model, known, { target: false })}) b USING (_key, _time)`,
    );
    for (const [name, rows] of Object.entries(found ?? {})) if (Number(rows) > 0) leaks.add(name);
  }
  const correlations = names.map((name) => `abs(corr(${identifier(name)}, _target)) AS ${identifier(name)}`);
  const [found] = await session.rows<Record<string, number | null>>(
    `SELECT ${correlations.join(', ')} FROM whole_features WHERE _target IS NOT NULL`,
  );
  for (const [name, value] of Object.entries(found ?? {}))
    if (value !== null && value > 0.9999) leaks.add(name);
  return [...leaks].sort();
}
