/** `datalab dashboard …`: serves the page, and makes the links that let people in. */
import path from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { loadConfig } from '../../config/config.js';
import { composeDashboard, makeAdminLink, startDashboard, Store } from '../../dashboard/server/index.js';
import { print } from '../session.js';
import { addDashboardPeople } from './dashboard-people.js';

export function addDashboard(program: Command): void {
  const dashboard = program.command('dashboard').description('The dashboard in the browser');
  dashboard
    .command('serve', { isDefault: true })
    .description('serve it until Ctrl-C; `./manage.sh start` does so beside the other services')
    .action(serve);
  dashboard
    .command('link')
    .description('make a link that creates an administrator, once and within a day')
    .option('--json', 'print JSON')
    .action(link);
  addDashboardPeople(dashboard);
}

async function serve(): Promise<void> {
  const loaded = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  const log = pino({ level: loaded.config.logging.level }, pino.destination({ dest: 2, sync: true }));
  const deps = await composeDashboard(loaded, log);
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const running = await startDashboard(deps);
  process.stdout.write(`DataLab dashboard: ${running.url}\n`);
  // Not into the log of a service, which more people may read: `./manage.sh urls` shows it there.
  if (running.adminLink && process.stdout.isTTY)
    process.stdout.write(`First administrator, once within a day: ${running.adminLink}\n`);
  await stopped;
  await running.close();
}

async function link({ json }: { json?: boolean }): Promise<void> {
  const { config, projectDirectory } = await loadConfig({
    projectDirectory: process.cwd(),
    env: process.env,
  });
  const { host, port, publicUrl, directory } = config.dashboard;
  const store = await Store.open(path.resolve(projectDirectory, directory));
  const url = await makeAdminLink(store, publicUrl ?? `http://${host}:${port}`);
  store.close();
  print(json, { url }, url);
}
