/** `datalab model-server`: answers predictions of the champions over HTTP until it is told to stop. */
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { pino } from 'pino';
import { loadConfig } from '../../config/config.js';
import { composeModelServer, startModelServer } from '../../model-server/index.js';

export function addModelServer(program: Command): void {
  program
    .command('model-server')
    .description(
      'Answer predictions of the champions over HTTP until Ctrl-C; `./manage.sh start` does so too',
    )
    .action(serve);
}

async function serve(): Promise<void> {
  // What a prediction leaves behind is little, and is cleared away alone in half a millisecond. By several threads, every request
  // waits until the last of them got a processor, which on a busy machine took up to a hundred.
  setFlagsFromString('--no-parallel-scavenge');
  const loaded = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  const { level } = loaded.config.logging;
  const log = pino({ level, base: { service: 'model-server' } }, pino.destination({ dest: 2, sync: true }));
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const running = await startModelServer(composeModelServer(loaded, process.env, log));
  process.stdout.write(`DataLab model server: ${running.url}\n`);
  await stopped;
  await running.close();
}
