/** What the flows of models are started with, checked before anything is touched. */
import { ApplicationFailure } from '@temporalio/workflow';
import { DATASET_NAME } from '../contracts/flows.js';
import type { DeploymentInput, TrainingInput } from '../contracts/ml-flows.js';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Fails the flow for good with INPUT_INVALID. */
export function parseTraining(input: unknown): TrainingInput {
  const takes = 'mlopsTraining takes {"model": "next_day_volatility"}';
  const { model, logicalTime, options = {}, ...rest } = (input ?? {}) as Partial<TrainingInput>;
  if (typeof model !== 'string' || !DATASET_NAME.test(model))
    throw refuse(takes, '"model" is the name of a model');
  strange(takes, rest);
  if (logicalTime !== undefined && (!INSTANT.test(logicalTime) || Number.isNaN(Date.parse(logicalTime))))
    throw refuse(takes, '"logicalTime" is an ISO instant with its zone');
  const { goldVersion, force, ...others } = options;
  strange(takes, others);
  if (goldVersion !== undefined && !(Number.isSafeInteger(goldVersion) && goldVersion >= 0))
    throw refuse(takes, '"options.goldVersion" is a whole number from 0');
  if (force !== undefined && typeof force !== 'boolean')
    throw refuse(takes, '"options.force" is true or false');
  return {
    model,
    ...(logicalTime !== undefined && { logicalTime: new Date(logicalTime).toISOString() }),
    options,
  };
}

/** Fails the flow for good with INPUT_INVALID. */
export function parseDeployment(input: unknown): DeploymentInput {
  const takes = 'modelDeployment takes {"model": "next_day_volatility", "version": "3"}';
  const { model, version, expect, ...rest } = (input ?? {}) as Partial<DeploymentInput>;
  if (typeof model !== 'string' || !DATASET_NAME.test(model))
    throw refuse(takes, '"model" is the name of a model');
  if (typeof version !== 'string' || !/^(previous|\d{1,9})$/.test(version))
    throw refuse(takes, '"version" is a number as text, or "previous"');
  if (expect !== undefined && expect !== null && !/^\d{1,9}$/.test(expect))
    throw refuse(takes, '"expect" is the version that is champion now, or null');
  strange(takes, rest);
  return { model, version, ...(expect !== undefined && { expect }) };
}

function strange(takes: string, rest: object): void {
  const [key] = Object.keys(rest);
  if (key !== undefined) throw refuse(takes, `there is no key "${key}"`);
}

function refuse(takes: string, problem: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${takes}: ${problem}`, 'INPUT_INVALID');
}
