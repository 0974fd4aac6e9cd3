/** The model server: one process of `datalab model-server`, which answers with the champions that MLflow keeps. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatalabError } from '../../contracts/errors.js';
import { HOST, workerEnvironment, type Settings } from '../settings.js';
import type { ServiceDefinition } from './definition.js';
import { workerService } from './worker.js';

const TIMEOUT_MS = 3000;
const programOf = (settings: Settings): string => path.join(settings.root, 'dist', 'cli', 'main.js');

export const modelServerService: ServiceDefinition = {
  name: 'model-server',
  title: 'Model server',
  required: true,
  ports: ['modelServer'],
  // It asks MLflow for as long as it runs, so it waits for nobody.
  needs: [],
  startSeconds: 60,
  stopSeconds: 15,
  command: (settings) => {
    const program = programOf(settings);
    if (!existsSync(program))
      throw new DatalabError('TOOL_MISSING', `${program} is missing: run \`npm run build\``);
    return {
      file: process.execPath,
      args: [program, 'model-server'],
      env: {
        ...workerEnvironment(settings),
        DATALAB_MODEL_SERVER_PORT: String(settings.ports.modelServer),
      },
    };
  },
  version: (settings) => workerService.version?.(settings) ?? '',
  probe: async (settings) => {
    const answer = await fetch(`http://${HOST}:${settings.ports.modelServer}/health`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      const { cause } = error as Error;
      throw cause instanceof Error && cause.message ? cause : error;
    });
    if (!answer.ok) throw new Error(`/health answered ${answer.status}`);
    const { product, service, detail } = (await answer.json()) as Record<string, string>;
    if (product !== 'datalab' || service !== 'model-server')
      throw new Error('what answers there is no model server of DataLab');
    return detail ?? '';
  },
};
