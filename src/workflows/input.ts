/** What a flow is started with, checked: people start flows by hand, where no type says anything. */
import { ApplicationFailure } from '@temporalio/workflow';
import { DATASET_NAME, type MedallionEtlInput } from '../contracts/flows.js';

const SHAPE = '{"dataset": "stocks", "logicalTime"?: "2013-03-01T06:00:00Z", "options"?: {"rebuild"?: true}}';

/** An instant says its zone: without one it would be read in the zone of whatever machine runs the flow. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** The input in its normal form. Fails the flow for good with INPUT_INVALID; a misspelt key is not silently dropped. */
export function parseInput(input: unknown): MedallionEtlInput {
  const { dataset, logicalTime, options, ...unknown } = objectOf(input, 'the input');
  const { rebuild, ...unknownOptions } = objectOf(options ?? {}, '"options"');
  const strange = [...Object.keys(unknown), ...Object.keys(unknownOptions).map((key) => `options.${key}`)];
  if (strange.length > 0) throw refuse(`there is no key ${strange.map((key) => `"${key}"`).join(', ')}`);
  if (typeof dataset !== 'string' || !DATASET_NAME.test(dataset)) {
    throw refuse('"dataset" is the name of a folder in datasets/: lower-case letters, digits and _');
  }
  if (rebuild !== undefined && typeof rebuild !== 'boolean')
    throw refuse('"options.rebuild" is true or false');
  return {
    dataset,
    ...(logicalTime !== undefined && { logicalTime: instantOf(logicalTime) }),
    options: { rebuild: rebuild ?? false },
  };
}

function instantOf(value: unknown): string {
  if (typeof value !== 'string' || !INSTANT.test(value) || Number.isNaN(Date.parse(value))) {
    throw refuse('"logicalTime" is an instant with its zone, such as 2013-03-01T06:00:00Z');
  }
  return new Date(value).toISOString();
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw refuse(`${what} is an object`);
}

function refuse(problem: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`medallionEtl takes ${SHAPE}: ${problem}`, 'INPUT_INVALID');
}
