/**
 * Runs the tests tier by tier, two at a time, on one stack of services, and sums them up. Called by `./manage.sh test [tier…]` after the
 * tools are prepared and the program is built. Exit code 1 on any failure and when no test ran. A tier whose tool is
 * missing is skipped with its reason, and fails where CI is set.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { renderTable } from '../dist/platform/table.js';
import { NONE, readReport, totals } from './test-report.mjs';
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
    ['tsc', ['-p', 'tsconfig.json', '--noEmit']],
    ['tsc', ['-p', 'src/workflows/tsconfig.json']],
    ['tsc', ['-p', 'src/dashboard/web']],
    ['tsc', ['-p', 'test/tsconfig.json']],
    ['tsc', ['-p', 'examples/service', '--noEmit']],
  ];
  const failed = [];
  for (const [program, args] of checks)
    if ((await run(name, program, args)) !== 0) failed.push([program, ...args].join(' '));
  return { ...NONE, passed: checks.length - failed.length, failed: failed.length, note: failed.join('; ') };
}

async function runTier(name, tier, scratch, env) {
  const output = path.join(scratch, `${tier}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  const code = await run(name, 'vitest', ['run', '--project', tier, '--passWithNoTests', ...reporters], env);
  return readReport(output, code);
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

/** Tiers on the services, which wait much, and the others, which compute: the two kinds go side by side. */
function lanesOf(tiers) {
  const onServices = tiers.filter((tier) => TIERS[tier].includes('s3'));
  const others = tiers.filter((tier) => !onServices.includes(tier));
  return [others, onServices].filter((lane) => lane.length > 0);
}

async function runAll(tiers, env, scratch) {
  const rows = [];
  const lanes = lanesOf(tiers);
  const runLane = async (lane) => {
    for (const tier of lane) {
      const name = lanes.length > 1 ? tier.padEnd(8) : undefined;
      const began = performance.now();
      const missing = missingTool(tier);
      process.stdout.write(`\n=== ${tier}\n`);
      const result = missing
        ? { ...NONE, [process.env.CI ? 'failed' : 'skipped']: 1, note: missing }
        : tier === 'static'
          ? await runStatic(name)
          : await runTier(name, tier, scratch, env);
      rows.push({ tier, seconds: (performance.now() - began) / 1000, ...result });
    }
  };
  await Promise.all(lanes.map(runLane));
  return tiers.map((tier) => rows.find((row) => row.tier === tier));
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
