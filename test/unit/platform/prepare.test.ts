/** Preparing tools side by side: the real shell code, with small scripts in place of the real tools' ones. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../../src/platform/settings.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'datalab-prepare-'));
  mkdirSync(path.join(root, 'infra', 'prepare'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const tool = (name: string, script: string): void =>
  writeFileSync(path.join(root, 'infra', 'prepare', `${name}.sh`), script);

/** What manage.sh does around the sourced file. */
const script = (names: string, before = ''): string =>
  [
    'set -euo pipefail',
    `cd ${root}`,
    'STATE=state',
    'fail() { echo "$*" >&2; exit 1; }',
    `. ${path.join(PROJECT_ROOT, 'infra', 'prepare-tools.sh')}`,
    `status=0; ${before} prepare ${names} || status=$?`,
    'echo "status $status without[$UNPREPARED]"',
  ].join('\n');

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], (error, stdout, stderr) =>
      error && typeof error.code !== 'number' ? reject(error) : resolve(stdout + stderr),
    );
    child.stdin?.end();
  });
}

test('tools that are there already need no words', async () => {
  tool('node', 'exit 0');
  tool('temporal', 'exit 0');
  expect(await run('bash', ['-c', script('node temporal')])).toBe('status 0 without[ ]\n');
});

test('what cannot be had is kept for start and health, and only what is needed fails', async () => {
  tool('node', 'sleep 2.2');
  tool('temporal', 'exit 0');
  tool('kafka', 'echo "Kafka: off, because of the rain. Wait."; exit 3');
  tool('mlflow', 'echo one >&2; echo "two: No space left on device" >&2; exit 1');
  const said = await run('bash', ['-c', script('node temporal kafka mlflow')]);
  expect(said).toMatch(/^preparing {3}node: 2 s of about 60 s$/m);
  expect(said).toMatch(/^prepared {4}node in [23] s$/m);
  expect(said).toMatch(/^failed {6}mlflow: the disk is full: free space.*\n +one\n +two: No space/m);
  expect(said).not.toContain('rain');
  expect(said).toMatch(/status 0 without\[ (kafka mlflow|mlflow kafka) \]/);
  expect(readFileSync(path.join(root, 'state/run/prepare-kafka.txt'), 'utf8')).toMatch(/rain. Wait\.\n$/);

  tool('kafka', 'exit 0');
  await run('bash', ['-c', script('kafka')]);
  expect(existsSync(path.join(root, 'state/run/prepare-kafka.txt'))).toBe(false);
});

test('without Temporal it fails, in one sentence; where nothing starts afterwards every sentence is printed', async () => {
  tool('temporal', 'echo "Temporal: nowhere to be had."; exit 3');
  tool('kafka', 'echo "Kafka: off."; exit 3');
  const said = await run('bash', ['-c', script('temporal kafka', 'SAY_LEFT_OUT=yes')]);
  expect(said).toContain('left out    Temporal: nowhere to be had.\n');
  expect(said).toContain('left out    Kafka: off.\n');
  expect(said).toContain('status 1 ');
});

test('on a terminal each tool at work is a live line', async () => {
  tool('node', 'sleep 1.5');
  tool('temporal', 'sleep 2.5');
  writeFileSync(path.join(root, 'run.sh'), script('node temporal'));
  const said = await run('script', ['-qec', `bash ${path.join(root, 'run.sh')}`, '/dev/null']);
  expect(said).toMatch(/node {8}\[-{20}\] {3}1 s of about 60 s/);
  expect(said).toMatch(/temporal {4}\[-{20}\] {3}1 s of about 240 s/);
  // Two lines up and away, then what stays.
  expect(said).toContain('\u001b[2A\u001b[J');
  expect(said).toMatch(/prepared {4}temporal in [23] s/);
  expect(said.trim().split('\n').at(-1)).toBe('status 0 without[ ]');
});

test('Ctrl-C ends what was started, also what the tools started themselves', async () => {
  tool('node', `touch ${root}/begun; sh -c 'sleep 30; touch ${root}/late' & wait`);
  const child = spawn('bash', ['-c', script('node')], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await expect.poll(() => existsSync(path.join(root, 'begun')), { timeout: 10_000 }).toBe(true);
  child.kill('SIGINT');
  // `close` comes when nobody holds the pipes any more: the grandchild is gone too.
  expect(await ended).toBe(130);
  expect(stderr).toContain('goes on from there');
  expect(existsSync(path.join(root, 'late'))).toBe(false);
});
