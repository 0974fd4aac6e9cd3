/** One worker process that serves every pool. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DatalabError } from '../../contracts/errors.js';
import { TASK_QUEUES } from '../../contracts/flows.js';
import { probePollers } from '../probes/temporal.js';
import { HOST, workerEnvironment, type Settings } from '../settings.js';
import type { ServiceDefinition } from './definition.js';

const programOf = (settings: Settings): string => path.join(settings.root, 'dist', 'worker.js');

export const workerService: ServiceDefinition = {
  name: 'worker',
  title: 'Worker',
  required: true,
  ports: [],
  needs: ['temporal', 's3', 'kafka'],
  startSeconds: 60,
  stopSeconds: 45,
  command: (settings) => {
    const program = programOf(settings);
    if (!existsSync(program))
      throw new DatalabError('TOOL_MISSING', `${program} is missing: run \`npm run build\``);
    return { file: process.execPath, args: [program, '--pool', 'all'], env: workerEnvironment(settings) };
  },
  version: (settings) => {
    const stamp = path.join(settings.root, 'dist', '.stamp');
    const build = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : '';
    // A worker reads its endpoints and switches once; with other ones it must start anew.
    return `${build} ${createHash('sha256').update(JSON.stringify(settings.env)).digest('hex').slice(0, 16)}`;
  },
  readyInLog: (log) => log.includes('"worker ready"'),
  probe: (settings) =>
    probePollers({
      address: `${HOST}:${settings.ports.temporal}`,
      namespace: settings.env['TEMPORAL_NAMESPACE'] ?? 'default',
      taskQueues: Object.values(TASK_QUEUES),
    }),
};
