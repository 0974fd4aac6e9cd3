/**
 * Why this machine runs without a service. `infra/prepare` leaves its sentence in `run/prepare-<tool>.txt`; the start
 * that did without keeps one sentence per service in `run/left-out.json`, so that `health` can say it later.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { SERVICE_NAMES, type ServiceName } from './services/definition.js';

/** The preparation script of a service's tool, by the name of its file in `infra/prepare`. */
const TOOLS: Readonly<Partial<Record<ServiceName, string>>> = {
  temporal: 'temporal',
  s3: 'versitygw',
  kafka: 'kafka',
  mlflow: 'mlflow',
};

const schema = z.partialRecord(z.enum(SERVICE_NAMES), z.string());
export type LeftOut = Readonly<Partial<Record<ServiceName, string>>>;

const fileIn = (stateDir: string): string => path.join(stateDir, 'run', 'left-out.json');

/** What the last start did without, and why. Empty where nothing was ever started, or the file is unreadable. */
export function readLeftOut(stateDir: string): LeftOut {
  try {
    return schema.parse(JSON.parse(readFileSync(fileIn(stateDir), 'utf8')));
  } catch {
    return {};
  }
}

export function writeLeftOut(stateDir: string, leftOut: LeftOut): void {
  mkdirSync(path.dirname(fileIn(stateDir)), { recursive: true });
  writeFileSync(fileIn(stateDir), `${JSON.stringify(leftOut, null, 2)}\n`);
}

/** What the last preparation said of the tool that this machine cannot have, without the name in front. */
export function preparationSaid(stateDir: string, service: ServiceName): string | undefined {
  const tool = TOOLS[service];
  try {
    const text = readFileSync(path.join(stateDir, 'run', `prepare-${tool}.txt`), 'utf8').trim();
    return text.replace(/^(Temporal|S3 gateway|Kafka|MLflow): (off, because )?/, '') || undefined;
  } catch {
    return undefined;
  }
}
