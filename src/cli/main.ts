#!/usr/bin/env node
/** `datalab`: every command of the product. Exit codes: see exit.ts and docs/reference/cli.md. */
import { Command, CommanderError } from 'commander';
import { DatalabError } from '../contracts/errors.js';
import { addDatasets } from './commands/datasets.js';
import { addDemo } from './commands/demo.js';
import { addRuns } from './commands/runs.js';
import { addSchedules } from './commands/schedules.js';
import { EXIT, exitCodeOf } from './exit.js';

const program = new Command('datalab')
  .description('A lakehouse that runs itself: datasets in, checked Delta tables out.')
  .showHelpAfterError()
  .exitOverride();
addDatasets(program);
addDemo(program);
addRuns(program);
addSchedules(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof DatalabError) {
    process.stderr.write(`${error.code}: ${error.message}\nWhat to do: ${error.remedy}\n`);
    process.exitCode = exitCodeOf(error.code);
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
