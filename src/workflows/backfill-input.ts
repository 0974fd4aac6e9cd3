/** What `scheduleBackfill` is started with, checked before anything is started. */
import {
  BACKFILL_MODES,
  BACKFILL_PARALLEL_MAX,
  type BackfillInput,
  type BackfillMode,
} from '../contracts/backfill.js';
import { instantOf, objectOf, refuseInput } from './input.js';

const TAKES =
  'scheduleBackfill takes {"scheduleId": "medallion-etl-daily", "from": "2013-03-01T00:00:00Z", "to": "2013-03-31T00:00:00Z", "mode"?: "missing", "dryRun"?: true, "parallel"?: 1}';

/** The input in its normal form. Fails the flow for good with INPUT_INVALID. */
export function parseBackfill(input: unknown): BackfillInput {
  const refuse = refuseInput(TAKES);
  const { scheduleId, from, to, mode, dryRun, parallel, carried, ...unknown } = objectOf(
    input,
    'the input',
    refuse,
  );
  const [strange] = Object.keys(unknown);
  if (strange !== undefined) throw refuse(`there is no key "${strange}"`);
  if (typeof scheduleId !== 'string' || scheduleId === '')
    throw refuse('"scheduleId" is the id of a schedule');
  if (mode !== undefined && !BACKFILL_MODES.includes(mode as BackfillMode))
    throw refuse(`"mode" is one of ${BACKFILL_MODES.join(', ')}`);
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw refuse('"dryRun" is true or false');
  if (parallel !== undefined && !isWidth(parallel))
    throw refuse(`"parallel" is a whole number from 1 to ${BACKFILL_PARALLEL_MAX}`);
  const range = { from: instantOf(from, refuse, 'from'), to: instantOf(to, refuse, 'to') };
  if (range.from > range.to) throw refuse('"from" is not after "to"');
  return {
    ...{ scheduleId, ...range },
    mode: (mode ?? 'missing') as BackfillMode,
    dryRun: dryRun ?? false,
    parallel: (parallel ?? 1) as number,
    ...(carried !== undefined && { carried: carried as BackfillInput['carried'] & object }),
  };
}

function isWidth(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= BACKFILL_PARALLEL_MAX;
}
