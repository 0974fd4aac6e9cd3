/** Finds the programs that the services run: on PATH, else in the per-user cache that `infra/prepare` fills. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { DatalabError } from '../contracts/errors.js';
import type { Settings } from './settings.js';

/** Versions that `infra/prepare/*.sh` puts into the cache; a unit test holds the two together. */
export const TOOL_VERSIONS = Object.freeze({
  temporal: '1.5.1',
  versitygw: '1.8.0',
  kafka: '4.1.1',
  mlflow: '3.17.2',
  boto3: '1.44.8',
  deltalake: '1.6.6',
  spark: '4.2.0',
  deltaSpark: '4.4.0',
});

type Tools = Pick<Settings, 'cacheDir' | 'processEnv'>;

/** Path of `temporal` or `versitygw`. Throws DatalabError TOOL_MISSING saying what it would take. */
export function locateProgram(name: 'temporal' | 'versitygw', settings: Tools): string {
  const cached = path.join(settings.cacheDir, `${name}-${TOOL_VERSIONS[name]}`, name);
  const found = onPath(name, settings) ?? (isExecutable(cached) ? cached : undefined);
  if (found) return found;
  throw new DatalabError(
    'TOOL_MISSING',
    `${name} is neither on PATH nor in ${settings.cacheDir}: run \`infra/prepare/${name}.sh\`, or install it`,
  );
}

/** The Java program and the broker's class path. Throws DatalabError TOOL_MISSING. */
export function locateKafka(settings: Tools): { java: string; classPath: string } {
  const home = settings.processEnv['JAVA_HOME'];
  const fromHome = home ? path.join(home, 'bin', 'java') : undefined;
  const java = fromHome && isExecutable(fromHome) ? fromHome : onPath('java', settings);
  if (!java)
    throw new DatalabError('TOOL_MISSING', 'java is not on PATH: install Java 17 or newer, or set JAVA_HOME');
  const libs = path.join(settings.cacheDir, `kafka-${TOOL_VERSIONS.kafka}`, 'libs');
  if (!existsSync(libs) || !readdirSync(libs).some((file) => file.startsWith('kafka_')))
    throw new DatalabError('TOOL_MISSING', `Kafka's jars are not in ${libs}: run \`infra/prepare/kafka.sh\``);
  return { java, classPath: path.join(libs, '*') };
}

/** The Python that has MLflow. Throws DatalabError TOOL_MISSING. */
export function locateMlflow(settings: Pick<Settings, 'cacheDir'>): string {
  const python = path.join(settings.cacheDir, `mlflow-${TOOL_VERSIONS.mlflow}`, 'bin', 'python');
  if (isExecutable(python)) return python;
  throw new DatalabError(
    'TOOL_MISSING',
    `MLflow is not in ${settings.cacheDir}: run \`infra/prepare/mlflow.sh\``,
  );
}

/** The folder of what MLflow needs for artifacts on S3. Throws DatalabError TOOL_MISSING. */
export function locateMlflowS3(settings: Pick<Settings, 'cacheDir'>): string {
  const packages = path.join(settings.cacheDir, `mlflow-s3-${TOOL_VERSIONS.boto3}`);
  if (existsSync(path.join(packages, 'boto3'))) return packages;
  throw new DatalabError(
    'TOOL_MISSING',
    `what MLflow needs for artifacts on S3 is not in ${settings.cacheDir}: run \`infra/prepare/mlflow-s3.sh\``,
  );
}

function onPath(name: string, settings: Tools): string | undefined {
  const folders = (settings.processEnv['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
