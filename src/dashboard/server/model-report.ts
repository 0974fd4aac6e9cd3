/** How one version of a model was judged: its report as MLflow keeps it, and what its predictions leave over. */
import { decodeRows, takeRows } from '../../ml/matrix.js';
import { openPredictor } from '../../ml/predictor.js';
import { holdoutSplit } from '../../ml/splits.js';
import type { MlflowClient, MlflowVersion } from '../../connectors/mlflow/index.js';
import { THRESHOLD, type ModelDefinition } from '../../contracts/model.js';
import type { Evaluation, GateResult, TrainedCandidate } from '../../contracts/training.js';
import type { DashboardDeps } from './deps.js';
import { reasonOf } from './measured.js';
import { findVersion, mlflowOf } from './models.js';
import type { ModelReportView, Residuals } from './shapes/models.js';

/** `report.json` of a training. */
interface StoredReport {
  readonly model: ModelDefinition;
  readonly evaluation: Evaluation;
  readonly gate: GateResult;
  readonly candidates: readonly TrainedCandidate[];
}

/** A version never changes, so what was made of it is kept. */
const KEPT = new Map<string, Promise<Omit<ModelReportView, 'page'>>>();
const KEPT_MAX = 20;
const ROWS_MAX = 20_000;
const BINS = 24;
const SHARES = 10;

/** Throws MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN, MLFLOW_OFF, MLFLOW_UNAVAILABLE, MLFLOW_REFUSED. */
export async function modelReport(
  deps: DashboardDeps,
  name: string,
  wanted: string,
): Promise<ModelReportView> {
  const mlflow = mlflowOf(deps);
  const version = await findVersion(mlflow, name, wanted);
  const key = `${name} ${version.version} ${version.runId ?? ''}`;
  const kept = KEPT.get(key) ?? reportOf(mlflow, version);
  KEPT.set(key, kept);
  kept.catch(() => KEPT.delete(key));
  for (const oldest of KEPT.keys()) {
    if (KEPT.size <= KEPT_MAX) break;
    KEPT.delete(oldest);
  }
  const [view, page] = await Promise.all([kept, pageOf(deps, name, version)]);
  return { ...view, page };
}

async function reportOf(
  mlflow: MlflowClient,
  version: MlflowVersion,
): Promise<Omit<ModelReportView, 'page'>> {
  const folder = version.source.replace(/\/model$/, '');
  const stored = JSON.parse((await mlflow.getArtifact(folder, 'report.json')).toString()) as StoredReport;
  const { evaluation, gate, candidates, model } = stored;
  const winner = candidates.find(({ name }) => name === evaluation.winner);
  const left = await leftOver(mlflow, version, model).then(
    (residuals) => ({ residuals, residualsProblem: null }),
    (error: unknown) => ({ residuals: null, residualsProblem: reasonOf(error) }),
  );
  return {
    version: version.version,
    metric: evaluation.metric,
    winner: evaluation.winner,
    parameters: { ...winner?.parameters },
    rows: evaluation.rows,
    interval: evaluation.interval,
    candidates: candidates.map(({ name, kind, validation, tried }) => ({
      ...{ name, kind, validation: { ...validation }, tried },
      holdout: { ...evaluation.candidates.find((one) => one.name === name)?.metrics },
    })),
    baselines: evaluation.baselines.map(plain),
    champion: evaluation.champion && {
      ...plain(evaluation.champion),
      version: evaluation.champion.version,
    },
    byKey: evaluation.byKey.slice(0, 200).map((one) => ({ ...plain(one), name: keyOf(one.name) })),
    byPeriod: evaluation.byPeriod.map(plain),
    importance: evaluation.importance.slice(0, 100),
    drift: evaluation.drift.slice(0, 100),
    confusion: evaluation.confusion && { threshold: THRESHOLD, ...evaluation.confusion },
    classes: evaluation.classes
      ? {
          names: [...evaluation.classes.names],
          confusion: evaluation.classes.confusion.map((line) => [...line]),
        }
      : null,
    calibration: evaluation.calibration,
    gate,
    example: { ...evaluation.smoke[0]?.features },
    ...left,
  };
}

const plain = ({ name, metrics }: { name: string; metrics: Readonly<Record<string, number>> }) => ({
  name,
  metrics: { ...metrics },
});

/** Keys are kept as JSON, `["AAPL"]`. */
function keyOf(name: string): string {
  try {
    const parts = JSON.parse(name) as unknown;
    return Array.isArray(parts) ? parts.join(' · ') : name;
  } catch {
    return name;
  }
}

/** Where the page of this training lies in the lake; it may be past its retention. */
async function pageOf(
  { lake }: DashboardDeps,
  name: string,
  { tags }: MlflowVersion,
): Promise<string | null> {
  const run = tags['datalab.run'];
  const prefix = `reports/${tags['datalab.dataset'] ?? ''}/models/${name}/`;
  if (run === undefined) return null;
  try {
    for await (const { key } of lake.store.list(prefix)) if (key.endsWith(`${run}.html`)) return key;
  } catch {
    // The lake does not answer: the page is not there now.
  }
  return null;
}

/** Truth less prediction over the holdout, from the training's own feature file. A probability leaves nothing to subtract. */
async function leftOver(
  mlflow: MlflowClient,
  version: MlflowVersion,
  model: ModelDefinition,
): Promise<Residuals | null> {
  if (model.target.kind !== 'regression') return null;
  const folder = version.source.replace(/\/model$/, '');
  const [features, json] = await Promise.all([
    mlflow.getArtifact(folder, 'features.arrow'),
    mlflow.getArtifact(version.source, 'model.json'),
  ]);
  const data = decodeRows(features);
  const { test } = holdoutSplit(data, model.splits);
  const step = Math.max(1, Math.ceil(test.length / ROWS_MAX));
  const { x, y } = takeRows(
    data,
    test.filter((_, index) => index % step === 0),
  );
  const predictor = openPredictor(json.toString());
  const pairs = [...y].map((truth, row) => {
    const predicted = predictor.predict(x, row * data.names.length);
    return { predicted, residual: truth - predicted };
  });
  return residualsOf(pairs.filter(({ residual }) => Number.isFinite(residual)));
}

/** The distribution of residuals, and how they go with the size of the prediction. */
export function residualsOf(
  pairs: ReadonlyArray<{ readonly predicted: number; readonly residual: number }>,
): Residuals {
  const values = pairs.map(({ residual }) => residual);
  const [low, high] = [
    values.reduce((a, b) => Math.min(a, b), 0),
    values.reduce((a, b) => Math.max(a, b), 0),
  ];
  const width = (high - low) / BINS || 1;
  const bins = Array.from({ length: BINS }, (_, at) => ({
    from: low + at * width,
    to: low + (at + 1) * width,
    rows: 0,
  }));
  for (const value of values) {
    const bin = bins[Math.min(BINS - 1, Math.floor((value - low) / width))];
    if (bin) bin.rows += 1;
  }
  const sorted = [...pairs].sort((a, b) => a.predicted - b.predicted);
  const size = Math.ceil(sorted.length / SHARES) || 1;
  const shares = Array.from({ length: Math.ceil(sorted.length / size) }, (_, at) =>
    sorted.slice(at * size, (at + 1) * size),
  );
  return {
    rows: pairs.length,
    ...momentsOf(values),
    bins,
    byPrediction: shares.map((share) => ({
      predicted: momentsOf(share.map(({ predicted }) => predicted)).mean,
      ...momentsOf(share.map(({ residual }) => residual)),
      rows: share.length,
    })),
  };
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  if (values.length === 0) return { mean: 0, deviation: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}
