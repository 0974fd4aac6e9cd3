/** What the flows of models are started with, checked before anything is touched. */
import { DATASET_NAME } from '../contracts/flows.js';
import type { DeploymentInput, TrainingInput } from '../contracts/ml-flows.js';
import { refuseInput, type Refuse } from './input.js';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Fails the flow for good with INPUT_INVALID. */
export function parseTraining(input: unknown): TrainingInput {
  const refuse = refuseInput('mlopsTraining takes {"model": "next_day_volatility"}');
  const { model, logicalTime, options = {}, ...rest } = (input ?? {}) as Partial<TrainingInput>;
  if (typeof model !== 'string' || !DATASET_NAME.test(model)) throw refuse('"model" is the name of a model');
  strange(refuse, rest);
  if (logicalTime !== undefined && (!INSTANT.test(logicalTime) || Number.isNaN(Date.parse(logicalTime))))
    throw refuse('"logicalTime" is an ISO instant with its zone');
  const { goldVersion, force, ...others } = options;
  strange(refuse, others);
  if (goldVersion !== undefined && !(Number.isSafeInteger(goldVersion) && goldVersion >= 0))
    throw refuse('"options.goldVersion" is a whole number from 0');
  if (force !== undefined && typeof force !== 'boolean') throw refuse('"options.force" is true or false');
  return {
    model,
    ...(logicalTime !== undefined && { logicalTime: new Date(logicalTime).toISOString() }),
    options,
  };
}

/** Fails the flow for good with INPUT_INVALID. */
export function parseDeployment(input: unknown): DeploymentInput {
  const refuse = refuseInput('modelDeployment takes {"model": "next_day_volatility", "version": "3"}');
  const { model, version, expect, ...rest } = (input ?? {}) as Partial<DeploymentInput>;
  if (typeof model !== 'string' || !DATASET_NAME.test(model)) throw refuse('"model" is the name of a model');
  if (typeof version !== 'string' || !/^(previous|\d{1,9})$/.test(version))
    throw refuse('"version" is a number as text, or "previous"');
  if (expect !== undefined && expect !== null && !/^\d{1,9}$/.test(expect))
    throw refuse('"expect" is the version that is champion now, or null');
  strange(refuse, rest);
  return { model, version, ...(expect !== undefined && { expect }) };
}

/** Fails the flow for good with INPUT_INVALID. */
export function parseModelWatch(input: unknown): void {
  const refuse = refuseInput('modelWatch takes {}');
  if (typeof (input ?? {}) !== 'object') throw refuse('an object is expected');
  strange(refuse, input ?? {});
}

function strange(refuse: Refuse, rest: object): void {
  const [key] = Object.keys(rest);
  if (key !== undefined) throw refuse(`there is no key "${key}"`);
}
