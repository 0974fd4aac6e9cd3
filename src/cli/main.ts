#!/usr/bin/env node
/** `datalab`: every command of the product. Exit codes: see exit.ts and docs/reference/cli.md. */
import { CommanderError } from 'commander';
import { DatalabError } from '../contracts/errors.js';
import { DeltaError } from '../delta/errors.js';
import { EXIT, exitCodeOf, Interrupted } from './exit.js';
import { loadProgram } from './load.js';

// The AWS library warns on Node 20 at every command; DataLab's own supported versions are in package.json.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

// Whoever reads the output may close it early, as `head` does: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

try {
  await (await loadProgram(process.argv.slice(2))).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof Interrupted) {
    process.exitCode = error.exitCode;
  } else if (error instanceof DatalabError || error instanceof DeltaError) {
    process.stderr.write(`${error.code}: ${error.message}\nWhat to do: ${error.remedy}\n`);
    process.exitCode = exitCodeOf(error.code);
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
