/** `docs/reference/cli.md` is the command line's own help, and nothing else. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { buildProgram } from '../../src/cli/program.js';

const page = new URL('../../docs/reference/cli.md', import.meta.url);
const WIDTH = 100;
const MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done',
  failed: 'the work was done and the answer is bad: a failed run, a problem that was found',
  usage: 'the command line, the configuration or a name in it is wrong; nothing was done',
  unavailable: 'a service that the command needs did not answer; nothing was done',
};

/** The commands below one, depth first, in the order of its help. */
function leaves(command: Command, path: readonly string[]): Array<{ name: string; command: Command }> {
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length === 0) return [{ name: path.join(' '), command }];
  return children.flatMap((child) => leaves(child, [...path, child.name()]));
}

function render(program: Command): string {
  const sections = leaves(program, [program.name()]).flatMap(({ name, command }) => [
    `## ${name}`,
    '',
    '```',
    command.configureHelp({ helpWidth: WIDTH }).helpInformation().trimEnd(),
    '```',
    '',
  ]);
  const codes = (Object.keys(EXIT) as Array<keyof typeof EXIT>).map(
    (key) => `| ${EXIT[key]} | ${MEANING[key]} |`,
  );
  return [
    '# Command line',
    '',
    'In the clone `npx datalab …`, elsewhere `datalab …` after `npm install -g`. `datalab <command> --help` says the same as',
    'this page, which `DATALAB_UPDATE_DOCS=1 npx vitest run test/tidy` writes. Commands that print data take `--json`; progress',
    'and remarks go to standard error, so that standard output is whole. `datalab deployments` is `datalab schedules`.',
    '',
    '| exit code | meaning |',
    '| --- | --- |',
    ...codes,
    '',
    ...sections,
  ].join('\n');
}

it('the page of the command line is what the commands say', () => {
  const text = render(buildProgram());
  if (process.env['DATALAB_UPDATE_DOCS']) writeFileSync(page, text);
  expect(readFileSync(page, 'utf8')).toBe(text);
});

it('every command says what it is for, and every argument too', () => {
  const silent = leaves(buildProgram(), []).filter(
    ({ command }) =>
      command.description() === '' ||
      command.options.some((option) => option.description === '') ||
      command.registeredArguments.some((argument) => argument.description === ''),
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
});
