/** `datalab` itself, without any command. */
import { Command } from 'commander';

export function rootProgram(): Command {
  return new Command('datalab')
    .description('A lakehouse that runs itself: datasets in, checked Delta tables out.')
    .showHelpAfterError()
    .exitOverride();
}
