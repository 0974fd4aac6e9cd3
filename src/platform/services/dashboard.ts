/** The dashboard: one process of `datalab dashboard`, which reads the lake and starts workflows. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatalabError } from '../../contracts/errors.js';
import { dashboardStore, HOST, workerEnvironment, type Settings } from '../settings.js';
import type { ServiceDefinition } from './definition.js';
import { workerService } from './worker.js';

const TIMEOUT_MS = 3000;
const programOf = (settings: Settings): string => path.join(settings.root, 'dist', 'cli', 'main.js');
const pageOf = (settings: Settings): string =>
  path.join(settings.root, 'dist', 'dashboard', 'web', 'index.html');
/** The file in which a dashboard without users keeps its one-time link for the first administrator. */
export const adminLinkFile = (settings: Settings): string =>
  path.join(dashboardStore(settings), 'admin-link');

export const dashboardService: ServiceDefinition = {
  name: 'dashboard',
  title: 'Dashboard',
  required: true,
  ports: ['dashboard'],
  // It says which of the others are down, so it waits for none of them.
  needs: [],
  startSeconds: 60,
  stopSeconds: 15,
  command: (settings) => {
    const missing = [programOf(settings), pageOf(settings)].find((file) => !existsSync(file));
    if (missing) throw new DatalabError('TOOL_MISSING', `${missing} is missing: run \`npm run build\``);
    return {
      file: process.execPath,
      args: [programOf(settings), 'dashboard', 'serve'],
      env: {
        ...workerEnvironment(settings),
        DATALAB_DASHBOARD_PORT: String(settings.ports.dashboard),
      },
    };
  },
  version: (settings) => workerService.version?.(settings) ?? '',
  probe: async (settings) => {
    const answer = await fetch(`http://${HOST}:${settings.ports.dashboard}/api/health`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      const { cause } = error as Error;
      throw cause instanceof Error && cause.message ? cause : error;
    });
    if (!answer.ok) throw new Error(`/api/health answered ${answer.status}`);
    const { product } = (await answer.json()) as { product?: string };
    if (product !== 'datalab') throw new Error('what answers there is no dashboard of DataLab');
    return 'it answers';
  },
};
