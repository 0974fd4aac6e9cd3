/**
 * Models against a peer, in one run: training and walk-forward of all candidates on generated rows (DataLab's training processes,
 * Python's xgboost and scikit-learn on the same splits, one thread each), then predictions of a real model server at a fixed rate.
 *
 *   node bench/ml.mjs [--rows 100000] [--rounds 1] [--rate 1000,5000] [--seconds 20] [--python <python of MLflow's environment>]
 *
 * Needs `npm run build` and MLflow's environment (`infra/prepare/mlflow.sh`). Machines differ and are noisy: the ratio of one run is
 * what counts.
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseModel } from '../dist/config/model.js';
import { openMlflow } from '../dist/connectors/mlflow/index.js';
import { runTrainingProcess } from '../dist/connectors/training-process.js';
import { locateXgboost } from '../dist/connectors/xgboost/locate.js';
import { encodeRows } from '../dist/ml/matrix.js';
import { openPredictor } from '../dist/ml/predictor.js';
import { seeded } from '../dist/ml/random.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { readSettings } from '../dist/platform/settings.js';
import { startPlatform } from '../dist/platform/start.js';
import { locateMlflow } from '../dist/platform/tools.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '1' },
    rate: { type: 'string', default: '1000,5000' },
    seconds: { type: 'string', default: '20' },
    python: { type: 'string' },
  },
});
const rows = Number(values.rows);
const WIDTH = 20;
const project = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-ml-'));
const python = values.python ?? locateMlflow(readSettings(process.env));
const library = locateXgboost(undefined, process.env);
if (library === undefined)
  throw new Error("XGBoost's library is not on this machine: infra/prepare/mlflow.sh brings it");

const model = parseModel('bench', 'bench', {
  ...{ name: 'bench', table: 't', keys: ['k'], time: 'time', metric: 'roc_auc', missing: 'keep' },
  target: { expression: 'y', kind: 'binary' },
  features: Array.from({ length: WIDTH }, (_, index) => ({ name: `f${index}` })),
  splits: { folds: 4, holdout: 0.2 },
  candidates: [
    { kind: 'linear', parameters: { l2: 1 } },
    { kind: 'forest', parameters: { trees: 100, max_depth: 8 } },
    { kind: 'boosting', parameters: { rounds: 100, max_depth: 6, eta: 0.1 } },
  ],
  baselines: [{ kind: 'majority' }],
});

/** Normal features, some missing; a target that trees learn better than a line does. */
function generate() {
  const random = seeded(42);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const x = Float32Array.from({ length: rows * WIDTH }, normal);
  const y = Float64Array.from({ length: rows }, (_, row) => {
    const f = (index) => x[row * WIDTH + index];
    const margin = f(0) + 0.7 * f(1) * f(2) + Math.sin(2 * f(3)) - 0.5 * f(4) ** 2 + 0.5 + normal();
    return margin > 0 ? 1 : 0;
  });
  for (let row = 0; row < rows; row += 1) if (random() < 0.02) x[row * WIDTH + 8] = NaN;
  const time = Float64Array.from({ length: rows }, (_, row) => Math.floor(row / 10) * 60_000);
  const targetTime = Float64Array.from(time, (at) => at + 1);
  const names = model.features.map(({ name }) => name);
  return { names, rows, x, y, time, targetTime, keys: Array(rows).fill('["k"]'), baselines: {} };
}

/** Processor seconds of a process and, with `ended`, of its children that came to their end. */
function cpuSeconds(pid, { ended }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map((ticks) => Number(ticks) / 100);
  return ended ? childUser + childSystem : user + system;
}

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
  });
  const said = execFileSync(python, [path.join(project, 'bench', 'peers', 'train_xgboost.py'), asked], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  return JSON.parse(said.trim().split('\n').at(-1));
}

/** A real MLflow with one version, a real model server, and a client that asks at a fixed rate. */
async function serve(data) {
  const stack = await createEphemeral();
  const env = { ...process.env, ...stack };
  const { settings } = await startPlatform(env, { only: ['mlflow'] });
  let server;
  try {
    const json = readFileSync(path.join(folder, 'boosting', 'model.json'));
    const predictor = openPredictor(json.toString());
    const smoke = Array.from({ length: 20 }, (_, row) => ({
      features: Object.fromEntries(
        data.names.map((name, index) => {
          const value = data.x[row * WIDTH + index];
          return [name, Number.isNaN(value) ? null : value];
        }),
      ),
      prediction: predictor.predict(data.x, row * WIDTH),
    }));
    const mlflow = openMlflow(settings.env.MLFLOW_TRACKING_URI);
    const experiment = await mlflow.experiment('bench');
    const run = await mlflow.ensureRun(experiment, { key: 'b', name: 'b', startMs: Date.now(), tags: {} });
    const source = `${run.artifactUri}/model`;
    await mlflow.putArtifact(source, 'model.json', json);
    await mlflow.putArtifact(source, 'smoke.json', JSON.stringify(smoke));
    await mlflow.putArtifact(source, 'definition.json', JSON.stringify(model));
    await mlflow.ensureModel('bench', '');
    const version = await mlflow.createVersion('bench', {
      ...{ source, runId: run.runId, tags: { 'datalab.model': 'bench' }, description: '' },
    });
    await mlflow.setAlias('bench', 'champion', version);
    server = spawn(process.execPath, ['dist/cli/main.js', 'model-server'], {
      cwd: project,
      env: { ...env, ...settings.env, DATALAB_LAKE_URI: `file://${folder}/lake`, DATALAB_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const url = `http://127.0.0.1:${settings.ports.modelServer}`;
    while (
      !(
        await fetch(`${url}/models`).then(
          (answer) => answer.json(),
          () => ({ models: [] }),
        )
      ).models[0]?.version
    )
      await new Promise((resolve) => setTimeout(resolve, 100));
    const body = JSON.stringify({ model: 'bench', rows: [smoke[0].features] });
    const expected = smoke[0].prediction;
    const ask = (rate, seconds) => load({ port: settings.ports.modelServer, body, rate, seconds, expected });
    await ask(1000, 3);
    const all = [];
    for (const rate of values.rate.split(',').map(Number)) {
      const before = cpuSeconds(server.pid, { ended: false });
      const found = await ask(rate, Number(values.seconds));
      all.push({ ...found, rate, cpu: cpuSeconds(server.pid, { ended: false }) - before });
    }
    return all;
  } finally {
    server?.kill('SIGTERM');
    await destroyEphemeral(stack);
  }
}

function load(options) {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(project, 'bench', 'load.mjs'));
    child.once('message', resolve);
    child.once('error', reject);
    child.send(options);
  });
}

const say = (label, value) => process.stdout.write(`${label.padEnd(34)}${value}\n`);
try {
  const data = generate();
  const features = path.join(folder, 'features.arrow');
  writeFileSync(features, encodeRows(data));
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const ours = await trainOurs(features);
    const peer = trainPeer(features);
    const sum = (all, what) => Object.values(all).reduce((total, one) => total + one[what], 0);
    const line = (label, own, other, note = '') =>
      say(
        label,
        `${own.seconds.toFixed(2)} s, processor ${own.cpu.toFixed(2)} s   peer ${other.seconds.toFixed(2)} s, processor ${other.cpu.toFixed(2)} s   ratio (peer / DataLab) ${(other.seconds / own.seconds).toFixed(2)}, processor ${(other.cpu / own.cpu).toFixed(2)}${note}`,
      );
    for (const { name } of model.candidates)
      line(
        name,
        ours[name],
        peer[name],
        `   AUC ${ours[name].auc.toFixed(5)} and ${peer[name].auc.toFixed(5)}`,
      );
    const total = (all) => ({ seconds: sum(all, 'seconds'), cpu: sum(all, 'cpu') });
    line('all candidates', total(ours), total(peer));
  }
  for (const { rate, asked, answered, wrong, late, p50, p95, p99, max, cpu } of await serve(data))
    say(
      `predictions at ${rate}/s`,
      `${answered} of ${asked} answered, ${wrong} wrong; ms from the time they were due: p50 ${p50} p95 ${p95} p99 ${p99} max ${max}; sent late by more than 2 ms: ${late}; the server took ${((cpu * 1e6) / answered).toFixed(0)} µs of a processor for each`,
    );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
