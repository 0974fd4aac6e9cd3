/**
 * Runs the tests, two jobs at a time, on one stack of services, and sums them up by tier. Called by `./manage.sh test [tier…]` after the
 * tools are prepared and the program is built. Exit code 1 on any failure and when no test ran. A tier whose tool is
 * missing is skipped with its reason, and fails where CI is set.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { renderTable } from '../dist/platform/table.js';
import { merged, NONE, readReport, totals } from './test-report.mjs';
import { locateKafka, locateProgram, TOOL_VERSIONS } from '../dist/platform/tools.js';
import { toolCache } from '../dist/platform/settings.js';

const TOOLS = { processEnv: process.env, cacheDir: toolCache(process.env) };
const NEEDS = {
  temporal: () => locateProgram('temporal', TOOLS),
  s3: () => locateProgram('versitygw', TOOLS),
  kafka: () => locateKafka(TOOLS),
  testServer: () => {
    const pom = readFileSync('infra/temporal-test-server/pom.xml', 'utf8');
    const version = /<temporal\.version>(.*)<\/temporal\.version>/.exec(pom)?.[1];
    if (!existsSync(path.join(TOOLS.cacheDir, `temporal-test-server-${version}`, 'start')))
      throw new Error('the time-skipping test server is not prepared: run infra/prepare/test-server.sh');
  },
  spark: () => {
    const tool = `spark-${TOOL_VERSIONS.spark}-delta-${TOOL_VERSIONS.deltaSpark}`;
    if (!existsSync(path.join(TOOLS.cacheDir, tool, 'bin', 'python')))
      throw new Error('Spark is not prepared: run infra/prepare/spark.sh');
  },
};
const TIERS = {
  static: [],
  unit: [],
  contract: ['s3', 'kafka'],
  golden: [],
  spark: ['spark'],
  workflow: ['testServer'],
  replay: [],
  faults: ['temporal', 's3', 'kafka'],
  e2e: ['temporal', 's3', 'kafka'],
};

const children = new Set();

/**
 * Runs Node or a program of node_modules/.bin; resolves to its exit code (1 when it was killed). Its lines come out with `name` in
 * front, so that two that run side by side can be told apart; without a name it has this terminal.
 */
function run(name, program, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(
      program === 'node' ? process.execPath : path.join('node_modules', '.bin', program),
      args,
      {
        stdio: name === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      },
    );
    children.add(child);
    for (const stream of [child.stdout, child.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', (line) => process.stdout.write(`${name} | ${line}\n`));
    child.on('error', reject);
    child.on('close', (code) => {
      children.delete(child);
      resolve(code ?? 1);
    });
  });
}

async function runStatic(name) {
  const checks = [
    ['node', ['infra/lint.mjs']],
    ['prettier', ['--check', '--log-level', 'warn', '.']],
    ['tsc', ['-p', 'src/workflows/tsconfig.json']],
    ['tsc', ['-p', 'src/dashboard/web']],
    // With all of src but the page, by the same rules.
    ['tsc', ['-p', 'test/tsconfig.json']],
    ['tsc', ['-p', 'examples/service', '--noEmit']],
  ];
  const failed = [];
  for (const [program, args] of checks)
    if ((await run(name, program, args)) !== 0) failed.push([program, ...args].join(' '));
  const counts = { passed: checks.length - failed.length, failed: failed.length };
  return { ...NONE, ...counts, failures: failed.map((check) => `static: ${check}`) };
}

async function runTier(name, { tier, files }, scratch, env) {
  const output = path.join(scratch, `${[tier, ...files.map((file) => path.basename(file))].join('-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  const args = ['run', '--project', tier, '--passWithNoTests', ...reporters, ...files];
  return readReport(output, await run(name, 'vitest', args, env));
}

function missingTool(tier) {
  for (const need of TIERS[tier]) {
    try {
      NEEDS[need]();
    } catch (error) {
      return error.message;
    }
  }
  return undefined;
}

/** Tiers whose files stop workers, brokers and servers: one file at a time on a lane, each by itself. */
const BY_FILE = ['faults', 'e2e'];

/** What is run at once: a tier, or a file of one. */
function jobsOf(tier) {
  if (!BY_FILE.includes(tier) || missingTool(tier)) return [{ tier, files: [] }];
  const folder = path.join('test', tier);
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.ts'));
  return files.sort().map((file) => ({ tier, files: [path.join(folder, file)] }));
}

/**
 * Two queues side by side: tiers on the services, which wait much, and the others, which compute. A lane whose queue is empty
 * takes from the end of the other, unless that computes: two of those only make each other slower.
 */
async function runAll(tiers, env, scratch) {
  const isOnServices = (tier) => TIERS[tier].includes('s3');
  const onServices = ['contract', 'e2e', 'faults'].filter((tier) => tiers.includes(tier)).flatMap(jobsOf);
  const computing = tiers.filter((tier) => !isOnServices(tier)).flatMap(jobsOf);
  const jobs = computing.length + onServices.length;
  const done = [];
  const runJob = async (job) => {
    const { tier, files } = job;
    const name = jobs > 1 ? tier.padEnd(8) : undefined;
    const began = performance.now();
    const missing = missingTool(tier);
    process.stdout.write(`\n=== ${[tier, ...files].join(' ')}\n`);
    const result = missing
      ? { ...NONE, [process.env.CI ? 'failed' : 'skipped']: 1, note: missing }
      : tier === 'static'
        ? await runStatic(name)
        : await runTier(name, job, scratch, env);
    done.push({ tier, seconds: (performance.now() - began) / 1000, result });
  };
  const lane = async (next) => {
    for (let job = next(); job; job = next()) await runJob(job);
  };
  await Promise.all([lane(() => computing.shift() ?? onServices.pop()), lane(() => onServices.shift())]);
  return tiers.map((tier) => {
    const ofTier = done.filter((one) => one.tier === tier);
    const seconds = ofTier.reduce((sum, one) => sum + one.seconds, 0);
    return { tier, seconds, ...merged(ofTier.map(({ result }) => result)) };
  });
}

function summarise(rows) {
  const cells = rows.map((row) => [
    row.tier,
    String(row.passed),
    String(row.failed),
    String(row.skipped),
    row.seconds.toFixed(1),
    row.note,
  ]);
  const { passed, failed, skipped, green, nothingRan } = totals(rows);
  process.stdout.write(
    `\n${renderTable([['tier', 'passed', 'failed', 'skipped', 'seconds', ''], ...cells])}\n\n`,
  );
  for (const { failures } of rows)
    for (const failure of failures) process.stdout.write(`failed: ${failure}\n`);
  if (nothingRan) process.stdout.write('no test ran, which counts as a failure\n');
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return green ? 0 : 1;
}

async function main() {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((tier) => !(tier in TIERS));
  if (unknown.length > 0) {
    process.stderr.write(
      `no tier is called ${unknown.join(', ')}; there are ${Object.keys(TIERS).join(' ')}\n`,
    );
    return 2;
  }
  const tiers = Object.keys(TIERS).filter((tier) => asked.length === 0 || asked.includes(tier));
  const scratch = mkdtempSync(path.join(tmpdir(), 'datalab-test-report-'));
  const stack = await createEphemeral();
  const python = path.join(TOOLS.cacheDir, `python-deltalake-${TOOL_VERSIONS.deltalake}`, 'bin', 'python');
  const env = {
    DATALAB_TEST_STACK: JSON.stringify(stack),
    ...(existsSync(python) && !process.env.DATALAB_TEST_PYTHON ? { DATALAB_TEST_PYTHON: python } : {}),
  };
  const end = async () => {
    await destroyEphemeral(stack);
    rmSync(scratch, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => {
      for (const child of children) child.kill(signal);
      void end().finally(() => process.exit(130));
    });
  try {
    return summarise(await runAll(tiers, env, scratch));
  } finally {
    await end();
  }
}

process.exitCode = await main();
