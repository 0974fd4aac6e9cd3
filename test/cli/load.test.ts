/** What is loaded for one command is what the whole command line has there. */
import { expect, it } from 'vitest';
import { GROUPS, loadProgram } from '../../src/cli/load.js';
import { buildProgram } from '../../src/cli/program.js';

const whole = buildProgram();
const named = (program: typeof whole, name: string) =>
  program.commands.find((command) => command.name() === name || command.aliases().includes(name));

it('has a group for every command, by each of its names', () => {
  const names = whole.commands.flatMap((command) => [command.name(), ...command.aliases()]);
  expect(Object.keys(GROUPS).sort()).toEqual(names.sort());
});

it.each(Object.keys(GROUPS))('loads %s alone, and the same', async (name) => {
  const program = await loadProgram([name, '--help']);
  expect(program.commands).toHaveLength(1);
  const [alone, there] = [named(program, name), named(whole, name)];
  expect(alone?.helpInformation()).toBe(there?.helpInformation());
  expect(alone?.commands.map((command) => command.helpInformation())).toEqual(
    there?.commands.map((command) => command.helpInformation()),
  );
});

it.each([[], ['--help'], ['help'], ['no-such-thing'], ['constructor']])(
  'loads everything where no command is named: %j',
  async (...words: string[]) => {
    expect((await loadProgram(words)).commands).toHaveLength(whole.commands.length);
  },
);
