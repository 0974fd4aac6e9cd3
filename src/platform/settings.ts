/** Where a platform lives and what it listens on: the state folder, the ports, the secrets. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { overlay, parseEnvFile } from '../config/config.js';
import { DatalabError } from '../contracts/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Every port that a service listens on, with the variable that moves it and the usual number. Those that are spoken to
 * over HTTP by browsers and by `fetch` may not have the numbers that these refuse to call.
 */
export const PORTS = Object.freeze({
  temporal: { variable: 'DATALAB_TEMPORAL_PORT', usual: 7233 },
  temporalUi: { variable: 'DATALAB_TEMPORAL_UI_PORT', usual: 8233, http: true },
  s3: { variable: 'DATALAB_S3_PORT', usual: 9000 },
  kafka: { variable: 'DATALAB_KAFKA_PORT', usual: 9092 },
  kafkaController: { variable: 'DATALAB_KAFKA_CONTROLLER_PORT', usual: 9093 },
  mlflow: { variable: 'DATALAB_MLFLOW_PORT', usual: 5000, http: true },
  modelServer: { variable: 'DATALAB_MODEL_SERVER_PORT', usual: 8080, http: true },
  dashboard: { variable: 'DATALAB_DASHBOARD_PORT', usual: 8501, http: true },
} satisfies Record<string, PortDefinition>);

interface PortDefinition {
  readonly variable: string;
  readonly usual: number;
  readonly http?: true;
}

export type PortName = keyof typeof PORTS;
/** Ports above 1023 of the WHATWG list of bad ports. */
const REFUSED_BY_FETCH = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
]);
export const HOST = '127.0.0.1';

export interface Settings {
  /** The checkout or installed package: where `dist` and `infra` are. */
  readonly root: string;
  readonly stateDir: string;
  readonly cacheDir: string;
  readonly ports: Readonly<Record<PortName, number>>;
  readonly bucket: string;
  /** The entries of the state folder's `env` file: endpoints and secrets, as the workers get them. */
  readonly env: Readonly<Record<string, string>>;
  /** The environment that services are started with. */
  readonly processEnv: Environment;
}

/** The folder that holds package.json, whether this runs from `src` or from `dist`. */
export const PROJECT_ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const BUCKET = 'datalab';
/** Entries of the `env` file that switch off what a machine cannot have. Absent, the configuration decides. */
const SWITCHES = ['DATALAB_KAFKA_ENABLED', 'DATALAB_MLFLOW_ENABLED'] as const;
const MODE_SECRET = 0o600;

/**
 * Reads the state folder (DATALAB_STATE_DIR, else `.datalab` in the project). A port comes from the environment, else
 * from the last start, else it is the usual one. Throws DatalabError STATE_INVALID or PORT_TAKEN naming what is wrong.
 */
export function readSettings(processEnv: Environment): Settings {
  const stateDir = path.resolve(PROJECT_ROOT, processEnv['DATALAB_STATE_DIR'] || '.datalab');
  const saved = readEnvFile(path.join(stateDir, 'env'));
  const ports = Object.fromEntries(
    Object.entries<PortDefinition>(PORTS).map(([name, port]) => [
      name,
      parsePort(port, processEnv[port.variable] || saved[port.variable]),
    ]),
  ) as Record<PortName, number>;
  assertDistinct(ports);
  return {
    root: PROJECT_ROOT,
    stateDir,
    cacheDir: toolCache(processEnv),
    ports,
    bucket: BUCKET,
    env: saved,
    processEnv,
  };
}

/** Makes the state folder with its `env` file where they are missing; generates secrets once and keeps them. */
export function ensureSettings(processEnv: Environment): Settings {
  const found = readSettings(processEnv);
  for (const folder of ['data', 'logs', 'run'])
    mkdirSync(path.join(found.stateDir, folder), { recursive: true });
  const env: Record<string, string> = {
    ...found.env,
    ...endpoints(found.ports),
    DATALAB_LAKE_URI: lakeUri(found),
    // The page, the command line and backups must mean the same users.
    DATALAB_DASHBOARD_DIRECTORY: dashboardStore(found),
  };
  // Set by a start that had to do without a service: every start finds that out anew.
  for (const variable of SWITCHES) delete env[variable];
  env['AWS_ACCESS_KEY_ID'] ||= `DL${randomBytes(9).toString('hex').toUpperCase()}`;
  env['AWS_SECRET_ACCESS_KEY'] ||= randomBytes(30).toString('base64url');
  return saveEnv(found, env);
}

/** Replaces the `env` file in one rename, readable by its owner only. Returns the settings with these entries. */
export function saveEnv(settings: Settings, env: Readonly<Record<string, string>>): Settings {
  const file = path.join(settings.stateDir, 'env');
  const lines = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const text = [
    '# Written by ./manage.sh start; secrets inside. Delete it to have new ones.',
    ...lines,
    '',
  ].join('\n');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, text, { mode: MODE_SECRET });
    chmodSync(temporary, MODE_SECRET);
    renameSync(temporary, file);
  }
  return { ...settings, env };
}

/** What a worker is started with: the platform's own endpoints and keys under what the caller's environment says. */
export function workerEnvironment(settings: Settings): Record<string, string | undefined> {
  return overlay(settings.env, settings.processEnv);
}

/** The per-user folder of downloaded and built tools; `infra/prepare/common.sh` computes the same. */
export function toolCache(env: Environment): string {
  return (
    env['DATALAB_CACHE_DIR'] || path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'datalab')
  );
}

/** Where a lake is kept in a gateway's folder, and where one that was begun without a gateway. */
export function lakeFolders({ stateDir, bucket }: Pick<Settings, 'stateDir' | 'bucket'>): {
  inGateway: string;
  alone: string;
} {
  const data = path.join(stateDir, 'data');
  return { inGateway: path.join(data, 's3', bucket, 'lake'), alone: path.join(data, 'lake') };
}

/** Where the dashboard keeps its users and its audit log. */
export function dashboardStore({ stateDir }: Pick<Settings, 'stateDir'>): string {
  return path.join(stateDir, 'data', 'dashboard');
}

/** A lake that was begun in a folder stays there: a gateway that can be had later would show an empty one. */
function lakeUri(settings: Settings): string {
  const { inGateway, alone } = lakeFolders(settings);
  return existsSync(alone) && !existsSync(inGateway) ? `file://${alone}` : `s3://${BUCKET}/lake`;
}

function endpoints(ports: Readonly<Record<PortName, number>>): Record<string, string> {
  const entries: Record<string, string> = {
    AWS_ENDPOINT_URL: `http://${HOST}:${ports.s3}`,
    AWS_REGION: 'us-east-1',
    KAFKA_BOOTSTRAP_SERVERS: `${HOST}:${ports.kafka}`,
    MLFLOW_TRACKING_URI: `http://${HOST}:${ports.mlflow}`,
    TEMPORAL_ADDRESS: `${HOST}:${ports.temporal}`,
    TEMPORAL_NAMESPACE: 'default',
    DATALAB_TEMPORAL_UI_URL: `http://${HOST}:${ports.temporalUi}`,
  };
  for (const [name, { variable }] of Object.entries(PORTS))
    entries[variable] = String(ports[name as PortName]);
  return entries;
}

function readEnvFile(file: string): Record<string, string> {
  try {
    return parseEnvFile(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new DatalabError('STATE_INVALID', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function parsePort({ variable, usual, http }: PortDefinition, text: string | undefined): number {
  if (!text) return usual;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new DatalabError('STATE_INVALID', `${variable}=${text}: a port is a whole number from 1 to 65535`);
  if (http && REFUSED_BY_FETCH.has(port))
    throw new DatalabError(
      'STATE_INVALID',
      `${variable}=${text}: browsers and Node refuse to call this port; take another`,
    );
  return port;
}

function assertDistinct(ports: Readonly<Record<PortName, number>>): void {
  const owners = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    const { variable } = PORTS[name as PortName];
    const other = owners.get(port);
    if (other)
      throw new DatalabError(
        'STATE_INVALID',
        `${variable} and ${other} are both ${port}: they need a port each`,
      );
    owners.set(port, variable);
  }
}
