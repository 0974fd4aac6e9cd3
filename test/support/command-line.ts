/** Command lines as the program itself takes them apart, without running anything. */
import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.js';

/** The words of a command line, as a shell makes them. */
export function wordsOf(line: string): string[] {
  return execFileSync('bash', ['-c', `printf '%s\\0' ${line}`])
    .toString()
    .split('\0')
    .slice(0, -1);
}

/** Throws what the command line says where it does not take these words. */
export async function parseCommand(words: readonly string[]): Promise<void> {
  const program = buildProgram();
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(quiet);
  };
  quiet(program);
  await program.parseAsync([...words], { from: 'user' });
}

/** Every command that can be run, as in `runs start`. */
export function commandPaths(command: Command = buildProgram(), before: readonly string[] = []): string[] {
  return command.commands.flatMap((one) => [
    [...before, one.name()].join(' '),
    ...commandPaths(one, [...before, one.name()]),
  ]);
}
