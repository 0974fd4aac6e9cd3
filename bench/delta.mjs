/**
 * The table layer alone (`datalab/delta`), each piece of work in a process of its own, and the same by delta-rs in the same
 * run on copies of the same tables.
 *
 *   node bench/delta.mjs [--python <python with deltalake>] [--only log,append,merge,optimize,vacuum,writers]
 *                        [--adds 1000000] [--rows 10000000] [--files 1000] [--objects 100000] [--appends 100]
 *
 * Prints seconds, processor seconds of the work (without the start of the process), peak memory and ratios (delta-rs / DataLab).
 * Machines differ and are noisy: the ratio of one run is what counts, and that of processor time where others are at work.
 * Needs `npm run build`, and for `writers` the tools that `./manage.sh start` prepares.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createDuckDbEngine, createRowParquet, openObjectStore } from '../dist/connectors/index.js';
import { appendRows, createTableActions, DeltaTable } from '../dist/delta/index.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    only: { type: 'string', default: 'log,append,merge,optimize,vacuum,writers' },
    adds: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '10000000' },
    files: { type: 'string', default: '1000' },
    objects: { type: 'string', default: '100000' },
    appends: { type: 'string', default: '100' },
    memory: { type: 'string', default: '1000MB' },
    part: { type: 'string' },
    uri: { type: 'string' },
  },
});
const here = path.dirname(fileURLToPath(import.meta.url));
const field = (name, type) => ({ name, type, nullable: true, metadata: {} });
const schema = {
  type: 'struct',
  fields: [field('id', 'long'), field('name', 'string'), field('amount', 'double')],
};
const ROWS = (from, count) =>
  `SELECT i::BIGINT AS id, 'customer ' || (i * 7919) % 10007 AS name, (i * 31) % 100000 / 100.0::DOUBLE AS amount
   FROM range(${from}, ${from + count}) t(i)`;
const clock = { nowMs: () => Date.now() };
const newId = () => crypto.randomUUID();

function openTable(uri, folder, s3 = {}) {
  const engine = createDuckDbEngine({
    ...{ memoryLimit: values.memory, threads: 2, spillDirectory: path.join(folder, 'spill') },
  });
  const store = openObjectStore(uri, { s3, cacheDirectory: path.join(folder, 'cache'), cacheBytes: 1e10 });
  return new DeltaTable(store, { engine, rowParquet: createRowParquet(), scratchDirectory: folder });
}

/** The measured work of ours: what `--part` starts. `ms` of its own takes the place of the whole. */
const parts = {
  async open(table) {
    const { files, version } = await table.snapshot();
    // The peer is asked for its paths too.
    let bytes = 0;
    for (const one of files.paths()) bytes += one.length;
    return { files: files.length, version, bytes };
  },
  /** Where statistics are asked for: what was left in the checkpoint is read. */
  async prune(table) {
    const { files } = await table.snapshot();
    const started = performance.now();
    await files.readStatistics();
    return { ms: performance.now() - started };
  },
  async checkpoint(table) {
    await table.snapshot();
    const started = performance.now();
    const { status } = await table.checkpoint();
    return { ms: performance.now() - started, status };
  },
  appendRows(table) {
    const port = createRowParquet();
    return appends((rows) => appendRows(table, port, rows, { schema }));
  },
  append: (table) => appends((rows) => table.append({ rows, schema })),
  appendSql: (table) => appends((rows) => table.append({ sql: ROWS(rows[0].id, rows.length) })),
  async merge(table) {
    const rows = Number(values.rows);
    const sql = `SELECT i * ${rows} * 2 // 10000 AS id, 'merged' AS name, 0.5::DOUBLE AS amount FROM range(0, 10000) t(i)`;
    const report = await table.merge(
      { sql },
      { on: 'target.id = source.id', whenMatched: [{ update: 'all' }], whenNotMatched: [{ insert: 'all' }] },
    );
    return { updated: report.rowsUpdated, inserted: report.rowsInserted };
  },
  async optimize(table) {
    const { filesRemoved, filesAdded } = await table.optimize();
    return { filesRemoved, filesAdded };
  },
  async vacuum(table) {
    const { deleted } = await table.vacuum({ retentionMs: 0, force: true });
    return { deleted };
  },
};

/** 250 appends of 100 rows. */
async function appends(append) {
  const took = [];
  for (let number = 0; number < 250; number += 1) {
    const rows = Array.from({ length: 100 }, (_, index) => {
      const id = number * 100 + index;
      return { id, name: `customer ${(id * 7919) % 10_007}`, amount: ((id * 31) % 100_000) / 100 };
    });
    const started = performance.now();
    await append(rows);
    took.push(performance.now() - started);
  }
  took.sort((a, b) => a - b);
  return { p50: took[125], p95: took[237] };
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const peakMb = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;

async function runPart() {
  const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-part-'));
  try {
    const started = performance.now();
    const before = cpuMs();
    const said = await parts[values.part](openTable(values.uri, folder));
    const ms = performance.now() - started;
    process.stdout.write(JSON.stringify({ ms, ...said, cpuMs: cpuMs() - before, peakMb: peakMb() }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ours(part, folder) {
  const args = [fileURLToPath(import.meta.url), '--part', part, '--uri', pathToFileURL(folder).href];
  const more = ['--rows', values.rows, '--memory', values.memory];
  return JSON.parse(execFileSync(process.execPath, [...args, ...more], { encoding: 'utf8' }));
}

function theirs(part, uri, numbers = [], storage = {}) {
  const peer = spawnSync(
    values.python,
    [path.join(here, 'peers/delta_rs.py'), part, uri, ...numbers.map(String)],
    {
      encoding: 'utf8',
      env: { ...process.env, BENCH_STORAGE: JSON.stringify(storage) },
      maxBuffer: 1e9,
    },
  );
  if (peer.status === 0) return JSON.parse(peer.stdout);
  process.stdout.write(`  delta-rs left out: ${peer.stderr.trim().split('\n').at(-1)}\n`);
  return undefined;
}

function tell(what, mine, peer) {
  const said = (name, { ms, cpuMs: cpu, peakMb: mb, ...more }) =>
    `  ${name.padEnd(9)} ${(ms / 1000).toFixed(2)} s, processor ${(cpu / 1000).toFixed(2)} s, ${Math.round(mb)} MB ` +
    `${JSON.stringify(more)}\n`;
  process.stdout.write(`${what}\n${said('DataLab', mine)}`);
  if (!peer) return;
  const time = 'p50' in mine ? peer.p50 / mine.p50 : peer.ms / mine.ms;
  process.stdout.write(
    `${said('delta-rs', peer)}  ratio     time ${time.toFixed(2)}, processor ${(peer.cpuMs / mine.cpuMs).toFixed(2)}, ` +
      `memory ${(peer.peakMb / mine.peakMb).toFixed(2)}\n`,
  );
}

/** A table that is a log only: opening it touches no data file. */
function writeLog(folder, adds, commits) {
  const five = { type: 'struct', fields: ['a', 'b', 'c', 'd', 'e'].map((name) => field(name, 'long')) };
  const log = path.join(folder, '_delta_log');
  mkdirSync(log, { recursive: true });
  const made = createTableActions({ schema: five, partitionColumns: [], configuration: {}, clock, newId });
  const each = Math.ceil(adds / commits);
  for (let commit = 0; commit < commits; commit += 1) {
    const lines = commit === 0 ? made.map((action) => JSON.stringify(action)) : [];
    for (let index = 0; index < each; index += 1) {
      const n = commit * each + index;
      const bounds = (more) => ({
        a: n + more,
        b: n * 1000 + more,
        c: -n + more,
        d: n * 7 + more,
        e: 1e12 + n,
      });
      const nullCount = { a: 0, b: 0, c: 0, d: 0, e: 0 };
      const stats = { numRecords: 1000, minValues: bounds(0), maxValues: bounds(999), nullCount };
      const add = {
        path: `part-${String(n).padStart(8, '0')}-7c1e8f0a-5b1d-4d0e-9a43-1f2e3d4c5b6a-c000.snappy.parquet`,
        ...{ partitionValues: {}, size: 100_000 + n, modificationTime: 1.7e12 + n, dataChange: true },
        stats: JSON.stringify(stats),
      };
      lines.push(JSON.stringify({ add }));
    }
    writeFileSync(path.join(log, `${String(commit).padStart(20, '0')}.json`), `${lines.join('\n')}\n`);
  }
}

function log(folder) {
  const [mine, peer] = ['log-ours', 'log-theirs'].map((name) => path.join(folder, name));
  writeLog(mine, Number(values.adds), 100);
  cpSync(mine, peer, { recursive: true });
  tell(`open ${values.adds} adds from JSON`, ours('open', mine), theirs('open', peer));
  tell(
    'write the checkpoint (the memory of opening included)',
    ours('checkpoint', mine),
    theirs('checkpoint', peer),
  );
  // Both from one checkpoint, theirs: what each wrote is a matter of the line above.
  const fromPeer = ours('open', peer);
  tell('reopen from the checkpoint of delta-rs', fromPeer, theirs('open', peer));
  tell('reopen from the checkpoint of DataLab', ours('open', mine), theirs('open', mine));
  tell(
    'read the statistics that were left in the checkpoint of delta-rs (not in the line above)',
    ours('prune', peer),
  );
}

function append(folder) {
  const place = (name) => path.join(folder, name);
  // Theirs is given an Arrow table in memory, as ours are given values.
  const theirOwn = theirs('append', place('theirs'), [250]);
  tell('DeltaTable.append of 100 rows as values, 250 times', ours('append', place('values')), theirOwn);
  tell('DeltaTable.append of 100 rows by SQL, 250 times', ours('appendSql', place('sql')), theirOwn);
  tell('appendRows of 100 rows, 250 times', ours('appendRows', place('rows')), theirOwn);
}

async function merge(folder) {
  const [mine, peer] = ['merge-ours', 'merge-theirs'].map((name) => path.join(folder, name));
  const table = openTable(pathToFileURL(mine).href, folder);
  const rows = Number(values.rows);
  for (let from = 0; from < rows; from += rows / 10) await table.append({ sql: ROWS(from, rows / 10) });
  cpSync(mine, peer, { recursive: true });
  tell(`merge of 10000 rows into ${values.rows}`, ours('merge', mine), theirs('merge', peer, [10_000, rows]));
}

async function optimize(folder) {
  const [mine, peer] = ['small-ours', 'small-theirs'].map((name) => path.join(folder, name));
  const table = openTable(pathToFileURL(mine).href, folder);
  const port = createRowParquet();
  for (let number = 0; number < Number(values.files); number += 1) {
    const rows = Array.from({ length: 200 }, (_, index) => ({
      id: number * 200 + index,
      name: 'x',
      amount: 1,
    }));
    await appendRows(table, port, rows, { schema });
  }
  cpSync(mine, peer, { recursive: true });
  tell(`OPTIMIZE of ${values.files} files`, ours('optimize', mine), theirs('optimize', peer));
}

async function vacuum(folder) {
  const [mine, peer] = ['orphans-ours', 'orphans-theirs'].map((name) => path.join(folder, name));
  const table = openTable(pathToFileURL(mine).href, folder);
  await table.append({ sql: ROWS(0, 1000) });
  const old = new Date(Date.now() - 30 * 86_400_000);
  cpSync(mine, peer, { recursive: true });
  for (const where of [mine, peer]) {
    for (let number = 0; number < Number(values.objects); number += 1) {
      const file = path.join(where, `orphan-${number}.parquet`);
      writeFileSync(file, 'PAR1');
      utimesSync(file, old, old);
    }
  }
  tell(`VACUUM of ${values.objects} objects`, ours('vacuum', mine), theirs('vacuum', peer));
}

/** Sixteen writers in one process each way; every row is one append. */
async function writers(folder) {
  const stack = await createEphemeral();
  try {
    execFileSync(process.execPath, ['dist/platform/main.js', 'start', '--only', 's3'], {
      ...{
        cwd: path.dirname(here),
        env: { ...process.env, ...stack },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    });
    const { loadConfig } = await import('../dist/config/config.js');
    const { config } = await loadConfig({
      projectDirectory: path.dirname(here),
      env: { ...process.env, ...stack },
    });
    const base = config.lake.uri;
    const started = performance.now();
    const one = { type: 'struct', fields: [field('id', 'long')] };
    const appends = Number(values.appends);
    await Promise.all(
      Array.from({ length: 16 }, async (_, writer) => {
        const table = openTable(`${base}/writers-ours`, folder, config.s3);
        const port = createRowParquet();
        for (let number = 0; number < appends; number += 1)
          await appendRows(table, port, [{ id: writer * appends + number }], { schema: one });
      }),
    );
    const ms = performance.now() - started;
    const table = openTable(`${base}/writers-ours`, folder, config.s3);
    let [rows, ids] = [0, new Set()];
    for await (const batch of table.read())
      for (const { id } of batch.toArray()) [rows, ids] = [rows + 1, ids.add(id)];
    const { endpoint, region, accessKeyId, secretAccessKey } = config.s3;
    const storage = { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true' };
    const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const what = `16 writers, ${appends} appends each, on S3`;
    const mine = { ms, rows, distinct: ids.size, cpuMs: cpuMs(), peakMb: peakMb() };
    // Told at once: the peer may take long.
    tell(what, mine);
    tell(what, mine, theirs('writers', `${base}/writers-theirs`, [16, appends], { ...storage, ...keys }));
  } finally {
    await destroyEphemeral(stack);
  }
}

if (values.part) await runPart();
else {
  const all = { log, append, merge, optimize, vacuum, writers };
  for (const name of values.only.split(',')) {
    const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-'));
    try {
      await all[name](folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
