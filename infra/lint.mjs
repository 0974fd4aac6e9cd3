/**
 * ESLint over the checkout, one tree after the other, each in a process of its own: the types of all of them at once do
 * not fit into the memory that Node gives a process. Arguments go to each, as in `--fix`. Exit code 1 when one found
 * something.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const WEB = 'src/dashboard/web';
const TREES = [
  ['src', '--ignore-pattern', WEB],
  [WEB],
  ['test'],
  ['.', '--ignore-pattern', 'src', '--ignore-pattern', 'test'],
];

let failed = false;
for (const tree of TREES) {
  const { status } = spawnSync(
    path.join('node_modules', '.bin', 'eslint'),
    [...tree, ...process.argv.slice(2)],
    {
      stdio: 'inherit',
    },
  );
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
