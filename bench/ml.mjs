/**
 * Models against a peer, in one run: training and walk-forward of all candidates on generated rows (DataLab's training processes,
 * Python's xgboost and scikit-learn on the same splits, one thread each). `bench/predictions.mjs` measures what serves them.
 *
 *   node bench/ml.mjs [--rows 100000] [--rounds 1] [--python <python of MLflow's environment>]
 *
 * Needs `npm run build` and MLflow's environment (`infra/prepare/mlflow.sh`). Machines differ and are noisy: the ratio of one run is
 * what counts, and that of processor time more than that of the clock.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runTrainingProcess } from '../dist/connectors/training-process.js';
import { locateXgboost } from '../dist/connectors/xgboost/locate.js';
import { encodeRows } from '../dist/ml/matrix.js';
import { readSettings } from '../dist/platform/settings.js';
import { locateMlflow } from '../dist/platform/tools.js';
import { cpuSeconds, generate, model } from './ml-lab.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '1' },
    python: { type: 'string' },
  },
});
const project = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-ml-'));
const python = values.python ?? locateMlflow(readSettings(process.env));
const library = locateXgboost(undefined, process.env);
if (library === undefined)
  throw new Error("XGBoost's library is not on this machine: infra/prepare/mlflow.sh brings it");

/** Each candidate as the pool `ml` trains it: a process of its own, its start and the reading of the file included. */
async function trainOurs(features) {
  const out = {};
  for (const candidate of model.candidates) {
    const output = path.join(folder, candidate.name);
    mkdirSync(output, { recursive: true });
    const begun = performance.now();
    const before = cpuSeconds('self', { ended: true });
    const trained = await runTrainingProcess(
      path.join(project, 'dist', 'train-child.js'),
      { kind: 'train', features, model, candidate, output, library },
      { signal: new AbortController().signal, progress: () => undefined },
    );
    out[candidate.name] = {
      seconds: (performance.now() - begun) / 1000,
      cpu: cpuSeconds('self', { ended: true }) - before,
      auc: trained.validation.roc_auc,
    };
  }
  return out;
}

function trainPeer(features) {
  const candidates = model.candidates.map(({ name, kind, grid }) => ({
    ...{ name, kind },
    parameters: Object.fromEntries(Object.entries(grid).map(([key, [value]]) => [key, value])),
  }));
  const asked = JSON.stringify({
    features,
    candidates,
    folds: model.splits.folds,
    holdout: model.splits.holdout,
    seed: model.seed,
    begun: Date.now() / 1000,
  });
  const said = execFileSync(python, [path.join(project, 'bench', 'peers', 'train_xgboost.py'), asked], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  return JSON.parse(said.trim().split('\n').at(-1));
}

const line = (label, own, other, note = '') =>
  process.stdout.write(
    `${label.padEnd(28)}${own.seconds.toFixed(2)} s, processor ${own.cpu.toFixed(2)} s; peer ${other.seconds.toFixed(2)} s, processor ${other.cpu.toFixed(2)} s; ratio (peer / DataLab) ${(other.seconds / own.seconds).toFixed(2)}, processor ${(other.cpu / own.cpu).toFixed(2)}${note}\n`,
  );
const sum = (all, what) => Object.values(all).reduce((whole, one) => whole + one[what], 0);
const total = (all) => ({ seconds: sum(all, 'seconds'), cpu: sum(all, 'cpu') });
try {
  const data = generate(Number(values.rows));
  const features = path.join(folder, 'features.arrow');
  writeFileSync(features, encodeRows(data));
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const ours = await trainOurs(features);
    const { start, ...peer } = trainPeer(features);
    for (const [name, { auc }] of Object.entries(ours))
      line(name, ours[name], peer[name], `; AUC ${auc.toFixed(5)} and ${peer[name].auc.toFixed(5)}`);
    line('all candidates', total(ours), total(peer));
    line("all, with the peer's start", total(ours), total({ ...peer, start }));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
