/**
 * Predictions of a real model server (MLflow and the prediction log running) at a fixed rate on loopback, beside two others under the
 * same client in the same run: Node's bare HTTP server, which is the least that any server in this process could take, and FastAPI
 * with Python's xgboost.
 *
 *   node bench/predictions.mjs [--rate 1000,5000] [--seconds 20] [--rounds 1] [--peer-rate 500] [--realtime] [--profile folder]
 *
 * Needs `npm run build` and MLflow's environment (`infra/prepare/mlflow.sh`). `--realtime` lets servers and client go before all
 * else that runs on the machine (root on Linux only), where a nice value would count within one session; `--profile` leaves a
 * processor profile of the model server in that folder.
 */
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openMlflow } from '../dist/connectors/mlflow/index.js';
import { runTrainingProcess } from '../dist/connectors/training-process.js';
import { locateXgboost } from '../dist/connectors/xgboost/locate.js';
import { encodeRows } from '../dist/ml/matrix.js';
import { openPredictor } from '../dist/ml/predictor.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { readSettings } from '../dist/platform/settings.js';
import { startPlatform } from '../dist/platform/start.js';
import { locateMlflow } from '../dist/platform/tools.js';
import { cpuSeconds, generate, model, WIDTH } from './ml-lab.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000,5000' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '1' },
    'peer-rate': { type: 'string', default: '500' },
    realtime: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const project = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-predictions-'));
const running = [];
/** What comes before a command that is to go before all others. */
const ahead = values.realtime ? ['chrt', '--rr', '1'] : [];

/** The boosting model of the benchmark of training, on fewer rows, and rows with what it says of them. */
async function train() {
  const library = locateXgboost(undefined, process.env);
  if (library === undefined)
    throw new Error("XGBoost's library is not on this machine: infra/prepare/mlflow.sh brings it");
  const data = generate(20_000);
  const features = path.join(folder, 'features.arrow');
  writeFileSync(features, encodeRows(data));
  await runTrainingProcess(
    path.join(project, 'dist', 'train-child.js'),
    {
      ...{ kind: 'train', features, model, output: folder, library },
      candidate: model.candidates.find(({ kind }) => kind === 'boosting'),
    },
    { signal: new AbortController().signal, progress: () => undefined },
  );
  const predictor = openPredictor(readFileSync(path.join(folder, 'model.json'), 'utf8'));
  return Array.from({ length: 20 }, (_, row) => ({
    features: Object.fromEntries(
      data.names.map((name, index) => {
        const value = data.x[row * WIDTH + index];
        return [name, Number.isNaN(value) ? null : value];
      }),
    ),
    prediction: predictor.predict(data.x, row * WIDTH),
  }));
}

async function register(uri, smoke) {
  const mlflow = openMlflow(uri);
  const experiment = await mlflow.experiment('bench');
  const run = await mlflow.ensureRun(experiment, { key: 'b', name: 'b', startMs: Date.now(), tags: {} });
  const source = `${run.artifactUri}/model`;
  await mlflow.putArtifact(source, 'model.json', readFileSync(path.join(folder, 'model.json')));
  await mlflow.putArtifact(source, 'smoke.json', JSON.stringify(smoke));
  await mlflow.putArtifact(source, 'definition.json', JSON.stringify(model));
  await mlflow.ensureModel('bench', '');
  const tags = { 'datalab.model': 'bench' };
  const version = await mlflow.createVersion('bench', { source, runId: run.runId, tags, description: '' });
  await mlflow.setAlias('bench', 'champion', version);
}

function start(command, args, options = {}) {
  const [file, ...rest] = [...ahead, command, ...args];
  const child = spawn(file, rest, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'], ...options });
  running.push(child);
  return child;
}

/** Waits until the server answers a question as it should. */
async function ready(port, question) {
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/predict`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: question.body },
    }).then(
      ({ status }) => status === 200,
      () => false,
    );
  for (let tries = 0; !(await ask()); tries += 1) {
    if (tries > 600) throw new Error(`nothing answers on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function startBare(question) {
  const answer = JSON.stringify({
    ...{ id: '00000000-0000-4000-8000-000000000000', model: 'bench', version: '1' },
    predictions: [{ prediction: question.expected }],
  });
  const child = start(process.execPath, ['bench/peers/bare-http.mjs', answer]);
  for await (const line of createInterface({ input: child.stdout }))
    return { name: "Node's bare HTTP server", child, port: Number(line) };
  throw new Error('the bare server ended');
}

async function startOurs(env, settings) {
  const profile = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
  const child = start(process.execPath, [...profile, 'dist/cli/main.js', 'model-server'], {
    env: { ...env, ...settings.env, DATALAB_LAKE_URI: `file://${folder}/lake`, DATALAB_LOG_LEVEL: 'warn' },
  });
  return { name: 'DataLab', child, port: settings.ports.modelServer };
}

async function startPeer(question) {
  const port = await freePort();
  const python = locateMlflow(readSettings(process.env));
  const child = start(
    python,
    ['bench/peers/serve_xgboost.py', path.join(folder, 'model.json'), String(port)],
    {
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    },
  );
  await ready(port, question);
  return { name: 'FastAPI and xgboost', child, port };
}

const freePort = () =>
  new Promise((resolve) => {
    const taken = createServer().listen(0, '127.0.0.1', () => {
      const { port } = taken.address();
      taken.close(() => resolve(port));
    });
  });

function load({ port }, question, rate, length) {
  return new Promise((resolve, reject) => {
    const [execPath, ...execArgv] = [...ahead, process.execPath];
    const child = fork(path.join(project, 'bench', 'load.mjs'), { execPath, execArgv });
    child.once('message', (found) => ('failed' in found ? reject(new Error(found.failed)) : resolve(found)));
    child.once('error', reject);
    child.send({ port, rate, seconds: length, ...question });
  });
}

async function measure(server, question, rate) {
  const before = cpuSeconds(server.child.pid, { ended: false });
  const found = await load(server, question, rate, seconds);
  const cpu = cpuSeconds(server.child.pid, { ended: false }) - before;
  const { asked, answered, wrong, p50, p95, p99, max, late, lagP99 } = found;
  const each = (used) => `${((used * 1e6) / answered).toFixed(0)} µs`;
  process.stdout.write(
    `${`${server.name} at ${rate}/s`.padEnd(34)}${answered} of ${asked} answered, ${wrong} wrong; ms from when due: p50 ${p50} p95 ${p95} p99 ${p99} max ${max}; processor for each: server ${each(cpu)}, client ${each(found.cpu)}; the client's own lateness: p99 ${lagP99} ms, ${late} by more than 2 ms\n`,
  );
}

async function end(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null || !child.kill('SIGTERM')) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

const stack = await createEphemeral();
try {
  const env = { ...process.env, ...stack };
  const smoke = await train();
  const question = {
    body: JSON.stringify({ model: 'bench', rows: [smoke[0].features] }),
    expected: smoke[0].prediction,
  };
  const { settings } = await startPlatform(env, { only: ['mlflow'] });
  await register(settings.env.MLFLOW_TRACKING_URI, smoke);
  const bare = await startBare(question);
  const ours = await startOurs(env, settings);
  await ready(ours.port, question);
  for (const server of [bare, ours]) await load(server, question, 2000, 4);
  for (let round = 1; round <= Number(values.rounds); round += 1)
    for (const rate of values.rate.split(',').map(Number))
      for (const server of [bare, ours]) await measure(server, question, rate);
  const peerRate = Number(values['peer-rate']);
  if (peerRate > 0) {
    const peer = await startPeer(question);
    await load(peer, question, peerRate, 3);
    for (const server of [ours, peer]) await measure(server, question, peerRate);
  }
} finally {
  await Promise.all(running.map(end));
  await destroyEphemeral(stack);
  rmSync(folder, { recursive: true, force: true });
}
