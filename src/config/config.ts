/** File and environment → one frozen configuration, or every problem at once. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { DatalabError } from '../contracts/errors.js';
import { variableOf, withEnvironment } from './environment.js';
import { configSchema, type Config } from './schema.js';

export type { Config } from './schema.js';

/** A configuration with the folder that its relative paths start from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly projectDirectory: string;
}

/**
 * Reads `datalab.yaml` (or the file named by DATALAB_CONFIG), puts the environment over it (`.datalab/env` of a started
 * platform, unless `platform` is false, then `.env`, then the process), and validates. Throws DatalabError
 * CONFIG_INVALID with all problems.
 */
export async function loadConfig(options: {
  projectDirectory: string;
  env: Readonly<Record<string, string | undefined>>;
  platform?: boolean;
}): Promise<LoadedConfig> {
  const { projectDirectory, env, platform = true } = options;
  const file = path.resolve(projectDirectory, env['DATALAB_CONFIG'] ?? 'datalab.yaml');
  const stateDirectory = path.resolve(projectDirectory, env['DATALAB_STATE_DIR'] ?? '.datalab');
  const [yaml, stateEnv, dotEnv] = await Promise.all([
    readOptional(file),
    platform ? readOptional(path.join(stateDirectory, 'env')) : undefined,
    readOptional(path.join(projectDirectory, '.env')),
  ]);
  if (yaml === undefined && env['DATALAB_CONFIG'])
    throw invalid([`${file}: no such file (named by DATALAB_CONFIG)`]);
  const merged = overlay(parseEnvFile(stateEnv ?? ''), { ...parseEnvFile(dotEnv ?? ''), ...env });
  return { config: parseConfig(yaml ?? '', merged, file), projectDirectory };
}

/** The pure part of {@link loadConfig}: YAML text and environment → frozen configuration. */
export function parseConfig(
  yaml: string,
  env: Readonly<Record<string, string | undefined>>,
  fileName = 'datalab.yaml',
): Config {
  const parsed = configSchema.safeParse(withEnvironment(parseYaml(yaml, fileName), env));
  if (parsed.success) return deepFreeze(parsed.data);
  throw invalid(
    parsed.error.issues.map((issue) => {
      const key = issue.path.join('.');
      const variable = variableOf(key);
      const place = variable && env[variable] ? `${key} (set by ${variable})` : key || '(top level)';
      return `${place}: ${issue.message}`;
    }),
  );
}

/**
 * A started platform's own endpoints and keys, under what the caller's environment says. AWS keys that the caller has
 * for another S3 are put aside unless the endpoint is the caller's too: they must never be sent to our gateway.
 * Nor are our gateway's keys of use, or meant, for an endpoint of the caller's.
 */
export function overlay(
  platform: Readonly<Record<string, string>>,
  caller: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const endpoint = caller['AWS_ENDPOINT_URL'];
  const ownS3 = !endpoint;
  const foreignS3 = !ownS3 && endpoint !== platform['AWS_ENDPOINT_URL'];
  const merged: Record<string, string | undefined> = Object.fromEntries(
    Object.entries(platform).filter(([key]) => !(foreignS3 && key.startsWith('AWS_'))),
  );
  for (const [key, value] of Object.entries(caller)) {
    if (ownS3 && key.startsWith('AWS_') && merged[key] !== undefined) continue;
    if (value !== undefined && value !== '') merged[key] = value;
  }
  return merged;
}

/** `KEY=VALUE` lines; blank lines and `#` comments are passed over, one pair of quotes around a value is taken off. */
export function parseEnvFile(text: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match) entries[match[1] as string] = (match[2] as string).trim().replace(/^(["'])(.*)\1$/, '$2');
  }
  return entries;
}

const SECRET = /secret|password|apikey|token/i;

/** The configuration with every secret replaced, for printing. */
export function redact<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => redact<unknown>(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      SECRET.test(key) && typeof child === 'string' ? '***' : redact<unknown>(child),
    ]),
  ) as T;
}

function parseYaml(yaml: string, fileName: string): object {
  try {
    const value: unknown = parse(yaml);
    if (value === null || value === undefined) return {};
    if (typeof value === 'object' && !Array.isArray(value)) return value;
    throw invalid([
      `${fileName}: a mapping of keys is expected, not ${Array.isArray(value) ? 'a list' : typeof value}`,
    ]);
  } catch (error) {
    if (error instanceof YAMLParseError) throw invalid([`${fileName}: ${error.message}`]);
    throw error;
  }
}

function invalid(problems: readonly string[]): DatalabError {
  return new DatalabError(
    'CONFIG_INVALID',
    `the configuration has ${problems.length} problem(s):\n  - ${problems.join('\n  - ')}`,
  );
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
