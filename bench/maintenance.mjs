/**
 * Maintenance at its two extremes: a lake of a thousand tables that need nothing, through the whole of DataLab, and one
 * table of ten thousand small files, packed here and by delta-rs in the same run.
 *
 *   node bench/maintenance.mjs [--tables 1000] [--files 10000] [--rows 200] [--lake s3|file] [--python <python with deltalake>]
 *
 * Prints seconds and peak memory. Machines differ and are noisy: the ratio of one run is what counts. Needs `npm run build`
 * and the tools that `./manage.sh start` prepares.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadConfig } from '../dist/config/config.js';
import {
  createDuckDbEngine,
  createRowParquet,
  MemoryObjectStore,
  openObjectStore,
} from '../dist/connectors/index.js';
import { appendRows, createTableActions, DeltaTable, mapLimited, stageBytes } from '../dist/delta/index.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: '1000' },
    files: { type: 'string', default: '10000' },
    rows: { type: 'string', default: '200' },
    lake: { type: 'string', default: 's3' },
    python: { type: 'string', default: 'python3' },
    only: { type: 'string' },
    pack: { type: 'string' },
  },
});
const project = fileURLToPath(new URL('..', import.meta.url));
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const port = createRowParquet();
const field = (name, type) => ({ name, type, nullable: true, metadata: {} });
const schema = {
  type: 'struct',
  fields: [field('id', 'long'), field('name', 'string'), field('amount', 'double')],
};
const rowsOf = (number, size) =>
  Array.from({ length: size }, (_, index) => {
    const id = number * size + index;
    return { id, name: `customer ${(id * 7919) % 10_007}`, amount: ((id * 31) % 100_000) / 100 };
  });

/** Packing alone, in a process of its own so that its memory can be told: what `--pack <uri>` starts. */
async function pack(uri) {
  const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-pack-'));
  const { memory, cores } = JSON.parse(process.env.BENCH_LIMITS);
  const engine = createDuckDbEngine({
    memoryLimit: memory,
    threads: cores,
    spillDirectory: path.join(folder, 'spill'),
  });
  const store = openObjectStore(uri, {
    s3: {},
    cacheDirectory: path.join(folder, 'cache'),
    cacheBytes: 1e10,
  });
  const started = performance.now();
  const report = await new DeltaTable(store, { engine, scratchDirectory: folder }).optimize();
  const ms = performance.now() - started;
  const peakMb = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(JSON.stringify({ ms, peakMb, ...report }));
}

const PEER = `
import json, resource, sys, time
from deltalake import DeltaTable
started = time.perf_counter()
metrics = DeltaTable(sys.argv[1]).optimize.compact()
ms = (time.perf_counter() - started) * 1000
print(json.dumps({"ms": ms, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
  "filesRemoved": metrics["numFilesRemoved"], "filesAdded": metrics["numFilesAdded"]}))
`;

async function manySmallFiles(folder) {
  const files = Number(values.files);
  const uri = pathToFileURL(path.join(folder, 'small')).href;
  const store = openObjectStore(uri, { s3: {}, cacheDirectory: path.join(folder, 'cache'), cacheBytes: 1e9 });
  const clock = { nowMs: () => Date.now() };
  const newId = () => crypto.randomUUID();
  const numbers = Array.from({ length: files }, (_, number) => number);
  // Written past the store, which would make each of them durable: that is not what is measured.
  mkdirSync(path.join(folder, 'small'));
  const adds = await mapLimited(numbers, 8, async (number) => {
    const encoded = await port.write(schema, rowsOf(number, Number(values.rows)));
    const scratch = new MemoryObjectStore('scratch');
    const add = await stageBytes(scratch, encoded, { schema, partitionValues: {}, clock, newId });
    writeFileSync(path.join(folder, 'small', add.path), encoded.bytes);
    return add;
  });
  const made = createTableActions({ schema, partitionColumns: [], configuration: {}, clock, newId });
  await new DeltaTable(store).commit({
    base: null,
    actions: [...made, ...adds.map((add) => ({ add }))],
    operation: 'WRITE',
    read: 'nothing',
    rowsAreChecked: true,
  });
  cpSync(path.join(folder, 'small'), path.join(folder, 'theirs'), { recursive: true });
  const { config } = await loadConfig({ projectDirectory: folder, env: {}, platform: false });
  const { memoryGb, cores } = config.limits.maintenance;
  const memory = `${Math.floor((memoryGb * 1024) / config.worker.concurrency.maintenance)}MB`;
  process.stdout.write(
    `${files} files of ${values.rows} rows; the engine may use ${memory} and ${cores} cores\n`,
  );
  const mine = JSON.parse(
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--pack', uri], {
      env: { ...process.env, BENCH_LIMITS: JSON.stringify({ memory, cores }) },
      encoding: 'utf8',
    }),
  );
  const said = ({ ms, peakMb, filesRemoved, filesAdded }) =>
    `${seconds(ms)}, peak ${Math.round(peakMb)} MB, ${filesRemoved} files became ${filesAdded}`;
  process.stdout.write(`  DataLab   ${said(mine)}\n`);
  const peer = spawnSync(values.python, ['-c', PEER, path.join(folder, 'theirs')], { encoding: 'utf8' });
  if (peer.status !== 0)
    return process.stdout.write(`  delta-rs left out: ${peer.stderr.trim().split('\n').at(-1)}\n`);
  const theirs = JSON.parse(peer.stdout);
  process.stdout.write(
    `  delta-rs  ${said(theirs)}\n  ratio     ${(theirs.ms / mine.ms).toFixed(2)} (delta-rs / DataLab)\n`,
  );
}

async function manyHealthyTables(folder) {
  const tables = Number(values.tables);
  const stack = await createEphemeral();
  const own =
    values.lake === 'file' ? { DATALAB_LAKE_URI: pathToFileURL(path.join(folder, 'lake')).href } : {};
  const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...stack, ...own };
  const datalab = (...args) =>
    execFileSync(process.execPath, ['dist/cli/main.js', ...args], { cwd: project, env, encoding: 'utf8' });
  try {
    execFileSync(process.execPath, ['dist/platform/main.js', 'start', '--without', 'mlflow'], {
      ...{ cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] },
    });
    const { config } = await loadConfig({ projectDirectory: project, env });
    const lake = openObjectStore(config.lake.uri, {
      ...{ s3: config.s3, cacheDirectory: path.join(folder, 'cache'), cacheBytes: 1e9 },
    });
    await mapLimited(
      Array.from({ length: tables }, (_, number) => number),
      16,
      async (number) => {
        const table = new DeltaTable(lake.at(`silver/t${String(number).padStart(5, '0')}`));
        await appendRows(table, port, rowsOf(number, 10), { schema });
      },
    );
    for (const round of [1, 2]) {
      const started = performance.now();
      const summary = JSON.parse(datalab('maintenance', 'run', '--wait', '--json'));
      const ms = performance.now() - started;
      const { healthy, needy, report } = summary;
      process.stdout.write(
        `  round ${round}: ${seconds(ms)}, ${healthy} tables healthy, ${needy} in need (${report})\n`,
      );
    }
  } finally {
    await destroyEphemeral(stack);
  }
}

if (!existsSync(path.join(project, 'dist/platform/main.js'))) throw new Error('run `npm run build` first');
if (values.pack) await pack(values.pack);
else {
  const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-'));
  try {
    if (values.only !== 'files') {
      process.stdout.write(`${values.tables} tables with nothing to do, ${values.lake} lake\n`);
      await manyHealthyTables(folder);
    }
    if (values.only !== 'tables') await manySmallFiles(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
