/** What a flow is started with, checked: people start flows by hand, where no type says anything. */
import { ApplicationFailure } from '@temporalio/workflow';
import { DATASET_NAME, type MedallionEtlInput } from '../contracts/flows.js';

const SHAPE =
  '{"dataset": "stocks", "logicalTime"?: "2013-03-01T06:00:00Z", "options"?: {"rebuild"?: true, "acceptLoss"?: true, "quiet"?: true}}';

/** An instant says its zone: without one it would be read in the zone of whatever machine runs the flow. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** Makes the failure that says what a flow takes and what was wrong. */
export type Refuse = (problem: string) => ApplicationFailure;

/** Failures with INPUT_INVALID, which end the flow for good. `takes` says what it is started with. */
export function refuseInput(takes: string): Refuse {
  return (problem) => ApplicationFailure.nonRetryable(`${takes}: ${problem}`, 'INPUT_INVALID');
}

/** The input in its normal form. Fails the flow for good with INPUT_INVALID; a misspelt key is not silently dropped. */
export function parseInput(input: unknown): MedallionEtlInput {
  const refuse = refuseInput(`medallionEtl takes ${SHAPE}`);
  const { dataset, logicalTime, options, ...unknown } = objectOf(input, 'the input', refuse);
  const { rebuild, acceptLoss, quiet, ...unknownOptions } = objectOf(options ?? {}, '"options"', refuse);
  const strange = [...Object.keys(unknown), ...Object.keys(unknownOptions).map((key) => `options.${key}`)];
  if (strange.length > 0) throw refuse(`there is no key ${strange.map((key) => `"${key}"`).join(', ')}`);
  if (rebuild !== undefined && typeof rebuild !== 'boolean')
    throw refuse('"options.rebuild" is true or false');
  if (acceptLoss !== undefined && typeof acceptLoss !== 'boolean')
    throw refuse('"options.acceptLoss" is true or false');
  if (quiet !== undefined && typeof quiet !== 'boolean') throw refuse('"options.quiet" is true or false');
  return {
    dataset: datasetOf(dataset, refuse),
    ...(logicalTime !== undefined && { logicalTime: instantOf(logicalTime, refuse) }),
    options: { rebuild: rebuild ?? false, ...(acceptLoss && { acceptLoss }), ...(quiet && { quiet }) },
  };
}

export function datasetOf(value: unknown, refuse: Refuse): string {
  if (typeof value === 'string' && DATASET_NAME.test(value)) return value;
  throw refuse('"dataset" is the name of a folder in datasets/: lower-case letters, digits and _');
}

/** The instant in UTC. */
export function instantOf(value: unknown, refuse: Refuse, key = 'logicalTime'): string {
  if (typeof value !== 'string' || !INSTANT.test(value) || Number.isNaN(Date.parse(value))) {
    throw refuse(`"${key}" is an instant with its zone, such as 2013-03-01T06:00:00Z`);
  }
  return new Date(value).toISOString();
}

export function objectOf(value: unknown, what: string, refuse: Refuse): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw refuse(`${what} is an object`);
}
