/** What `quarantineReplay` is started with, checked before anything is touched. */
import type { QuarantineReplayInput } from '../contracts/replay.js';
import { datasetOf, instantOf, objectOf, refuseInput } from './input.js';

const SHAPE =
  'quarantineReplay takes {"dataset": "stocks", "logicalTime"?: "2013-03-01T06:00:00Z", "rule"?: "bad_value", "source"?: "2013-03"}';

/** The input in its normal form. Fails the flow for good with INPUT_INVALID. */
export function parseReplay(input: unknown): QuarantineReplayInput {
  const refuse = refuseInput(SHAPE);
  const { dataset, logicalTime, rule, source, ...unknown } = objectOf(input, 'the input', refuse);
  const [strange] = Object.keys(unknown);
  if (strange !== undefined) throw refuse(`there is no key "${strange}"`);
  for (const [key, value] of Object.entries({ rule, source })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw refuse(`"${key}" is a text that is not empty`);
  }
  return {
    dataset: datasetOf(dataset, refuse),
    ...(logicalTime !== undefined && { logicalTime: instantOf(logicalTime, refuse) }),
    ...(typeof rule === 'string' && { rule }),
    ...(typeof source === 'string' && { source }),
  };
}
