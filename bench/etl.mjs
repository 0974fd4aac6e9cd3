/**
 * The main job against a peer, in one run: generated prices from CSV to Gold through the whole of DataLab (Temporal, an
 * S3 or file lake, Kafka, a worker), and through Polars with delta-rs without any of that.
 *
 *   node bench/etl.mjs [--rows 10000000] [--rounds 3] [--lake file|s3] [--python <python with polars and deltalake>]
 *
 * Prints seconds from trigger to completed workflow, peak memory of the worker, and ratios. Machines differ and are
 * noisy: the ratio of one run is what counts. Needs `npm run build` and the tools that `./manage.sh start` prepares.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { loadConfig } from '../dist/config/config.js';
import { connectTemporal } from '../dist/connectors/temporal.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { generate } from './generate.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '1' },
    lake: { type: 'string', default: 'file' },
    python: { type: 'string' },
  },
});
const rows = Number(values.rows);
const project = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-'));
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** Peak resident memory of the processes that run the worker, from the kernel's own account. */
function workerPeakMb(env) {
  const peaks = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const owns = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(env.DATALAB_STATE_DIR);
        const isWorker = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dist/worker.js');
        const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return owns && isWorker && peak ? [Number(peak) / 1024] : [];
      } catch {
        return [];
      }
    });
  return Math.round(Math.max(0, ...peaks));
}

function datalab(env, ...args) {
  return execFileSync(process.execPath, ['dist/cli/main.js', ...args], {
    cwd: project,
    env,
    encoding: 'utf8',
  });
}

/** One run from trigger to completed workflow, in milliseconds by Temporal's own clock. */
async function run(env) {
  const summary = JSON.parse(datalab(env, 'runs', 'start', 'stocks', '--wait', '--json'));
  const { config } = await loadConfig({ projectDirectory: project, env });
  const temporal = await connectTemporal(config.temporal);
  try {
    const { startTime, closeTime } = await temporal.workflow.getHandle(summary.run.workflowId).describe();
    return { startMs: startTime.getTime(), ms: closeTime.getTime() - startTime.getTime(), summary };
  } finally {
    await temporal.connection.close();
  }
}

/** When each step began after the start of the run, and what it took. */
function printSteps(title, { startMs, ms, summary }) {
  const lines = summary.steps.map(({ step, startedAt, finishedAt }) => {
    const from = Date.parse(startedAt);
    const own = seconds(Date.parse(finishedAt) - from).padStart(8);
    return `    ${step.padEnd(36)} ${own}  after ${seconds(from - startMs)}\n`;
  });
  process.stdout.write(`  steps of ${title}, of ${seconds(ms)}\n${lines.join('')}`);
}

async function ours(round, connection) {
  const input = path.join(folder, `in-${round}`);
  mkdirSync(input);
  await generate(connection, { path: path.join(input, 'a.csv'), size: rows });
  const datasets = path.join(folder, `datasets-${round}`);
  cpSync(path.join(project, 'datasets'), datasets, { recursive: true });
  const definition = path.join(datasets, 'stocks', 'dataset.yaml');
  const text = readFileSync(definition, 'utf8').replace(/location: .*/, `location: ${input}/*.csv`);
  // The sample's own symbols, and that they have letters only, are no property of generated data.
  const generated = text.replace(/^.*kind: set.*\n/m, '').replace("'[A-Z][A-Z.]{0,9}'", "'[A-Z][0-9]{5}'");
  writeFileSync(definition, generated);
  const stack = await createEphemeral();
  const lake = values.lake === 'file' ? { DATALAB_LAKE_URI: `file://${folder}/lake-${round}` } : {};
  const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const env = { ...process.env, ...quiet, ...stack, ...lake, DATALAB_DATASETS_DIRECTORY: datasets };
  try {
    execFileSync(process.execPath, ['dist/platform/main.js', 'start', '--without', 'mlflow'], {
      cwd: project,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const first = await run(env);
    const day = path.join(input, 'b.csv');
    await generate(connection, { path: day, size: rows, from: rows, to: rows + Math.ceil(rows / 1000) });
    const increment = await run(env);
    printSteps('the first run', first);
    printSteps('the increment', increment);
    return {
      first: first.ms,
      increment: increment.ms,
      peakMb: workerPeakMb(env),
      source: path.join(input, 'a.csv'),
    };
  } finally {
    await destroyEphemeral(stack);
    rmSync(path.join(folder, `lake-${round}`), { recursive: true, force: true });
  }
}

function peer(round, source) {
  const python = values.python ?? 'python3';
  const script = path.join(project, 'bench', 'peers', 'etl_polars.py');
  const output = path.join(folder, `peer-${round}`);
  const { error, status, stdout, stderr } = spawnSync(python, [script, source, output], { encoding: 'utf8' });
  rmSync(output, { recursive: true, force: true });
  if (status === 0) return JSON.parse(stdout);
  process.stdout.write(
    `  peer left out: ${error ? error.message : stderr.trim().split('\n').at(-1)} (see bench/peers/requirements.txt)\n`,
  );
  return undefined;
}

/** Milliseconds of both sides, and MB of memory where they are one run's; the peer's only where it ran. */
function printResult({ first, increment, peakMb, peerMs, peerMb }) {
  const memory = (what, mb) => (mb === undefined ? '' : `, ${what} ${Math.round(mb)} MB`);
  const lines = [
    `DataLab      ${seconds(first)}${memory('worker peak', peakMb)}`,
    `0.1 % more   ${seconds(increment)}, ${(first / increment).toFixed(1)} times faster than the first run`,
  ];
  if (peerMs !== undefined) {
    lines.push(`Polars       ${seconds(peerMs)}${memory('peak', peerMb)}`);
    lines.push(`ratio        ${(peerMs / first).toFixed(2)} (peer / DataLab)`);
  }
  process.stdout.write(lines.map((line) => `  ${line}\n`).join(''));
}

/** The shortest of each: whatever else the machine does makes a run longer, and never shorter. */
function bestOf(rounds) {
  const [first, increment, peerMs] = ['first', 'increment', 'peerMs'].map((name) => {
    const times = rounds.map((round) => round[name]).filter((ms) => ms !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  });
  return { first, increment, peerMs };
}

if (!existsSync(path.join(project, 'dist/platform/main.js'))) throw new Error('run `npm run build` first');
try {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rounds = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stdout.write(`round ${round}: ${rows.toLocaleString('en')} rows, ${values.lake} lake\n`);
    const mine = await ours(round, connection);
    const theirs = peer(round, mine.source);
    const result = { ...mine, peerMs: theirs && theirs.seconds * 1000, peerMb: theirs?.peakMb };
    printResult(result);
    rounds.push(result);
    rmSync(path.join(folder, `in-${round}`), { recursive: true, force: true });
  }
  if (rounds.length > 1) {
    process.stdout.write(`best of ${rounds.length}\n`);
    printResult(bestOf(rounds));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
