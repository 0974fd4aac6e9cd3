/** The Temporal development server with its Web UI; state in one SQLite file. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contracts/flows.js';
import { probeTemporal } from '../probes/temporal.js';
import { HOST, type Settings } from '../settings.js';
import { locateProgram } from '../tools.js';
import type { ServiceDefinition } from './definition.js';

const dataFolder = (settings: Settings): string => path.join(settings.stateDir, 'data', 'temporal');

/** Type names as the command line spells them: KEYWORD → Keyword. */
const spelled = (type: string): string => type.charAt(0) + type.slice(1).toLowerCase();

/**
 * A task queue is kept in four partitions by default, for loads that one server does not have. Where a task waits in one of
 * them and the only worker asks another, it was seen to wait for more than a second.
 */
const ONE_PARTITION = ['matching.numTaskqueueReadPartitions', 'matching.numTaskqueueWritePartitions'];

export const temporalService: ServiceDefinition = {
  name: 'temporal',
  title: 'Temporal',
  required: true,
  ports: ['temporal', 'temporalUi'],
  needs: [],
  startSeconds: 60,
  stopSeconds: 15,
  command: (settings) => ({
    file: locateProgram('temporal', settings),
    args: [
      ...['server', 'start-dev', '--ip', HOST, '--log-level', 'warn', '--log-format', 'json'],
      ...['--port', String(settings.ports.temporal), '--ui-port', String(settings.ports.temporalUi)],
      ...['--db-filename', path.join(dataFolder(settings), 'temporal.db')],
      ...ONE_PARTITION.flatMap((name) => ['--dynamic-config-value', `${name}=1`]),
      ...Object.values(SEARCH_ATTRIBUTES).flatMap(({ name, type }) => [
        '--search-attribute',
        `${name}=${spelled(type)}`,
      ]),
    ],
    // A profile or environment file of the user's own CLI must not steer our server.
    env: { ...settings.processEnv, TEMPORAL_ADDRESS: undefined, TEMPORAL_NAMESPACE: undefined },
  }),
  prepare: async (settings) => {
    mkdirSync(dataFolder(settings), { recursive: true });
  },
  probe: (settings) =>
    probeTemporal({
      address: `${HOST}:${settings.ports.temporal}`,
      namespace: settings.env['TEMPORAL_NAMESPACE'] ?? 'default',
      searchAttributes: Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name),
    }),
};
