/** What `lakeMaintenance` is started with, checked before anything is touched. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { LakeMaintenanceInput } from '../contracts/lake-maintenance.js';

const TABLE_NAME = /^(bronze|silver|gold|quarantine|meta)\.[A-Za-z0-9_-]+$/;
const KEYS = ['dryRun', 'tables'];

/** The input as it is. Fails the flow for good with INPUT_INVALID: a misspelt `dryRun` must not become a real run. */
export function parseLakeMaintenance(input: unknown): LakeMaintenanceInput {
  const given = input ?? {};
  if (typeof given !== 'object') throw refuse('an object is expected');
  const strange = Object.keys(given).filter((key) => !KEYS.includes(key));
  if (strange.length > 0) throw refuse(`there is no ${strange.join(', ')}`);
  const { dryRun, tables } = given as Partial<LakeMaintenanceInput>;
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw refuse('"dryRun" is true or false');
  if (tables !== undefined && !(Array.isArray(tables) && tables.length > 0 && tables.every(isTableName)))
    throw refuse('"tables" lists layers and names, as in silver.stocks');
  return given;
}

function isTableName(name: unknown): boolean {
  return typeof name === 'string' && TABLE_NAME.test(name);
}

function refuse(problem: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `lakeMaintenance takes {"dryRun": true, "tables": ["silver.stocks"]}, both optional: ${problem}`,
    'INPUT_INVALID',
  );
}
