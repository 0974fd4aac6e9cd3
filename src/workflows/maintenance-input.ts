/** What `lakeMaintenance` is started with, checked before anything is touched. */
import type { LakeMaintenanceInput } from '../contracts/lake-maintenance.js';
import { refuseInput } from './input.js';
import { areTableNames } from './table-name.js';

const refuse = refuseInput(
  'lakeMaintenance takes {"dryRun": true, "tables": ["silver.stocks"]}, both optional',
);
const KEYS = ['dryRun', 'tables'];

/** The input as it is. Fails the flow for good with INPUT_INVALID: a misspelt `dryRun` must not become a real run. */
export function parseLakeMaintenance(input: unknown): LakeMaintenanceInput {
  const given = input ?? {};
  if (typeof given !== 'object') throw refuse('an object is expected');
  const strange = Object.keys(given).filter((key) => !KEYS.includes(key));
  if (strange.length > 0) throw refuse(`there is no ${strange.join(', ')}`);
  const { dryRun, tables } = given as Partial<LakeMaintenanceInput>;
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw refuse('"dryRun" is true or false');
  if (tables !== undefined && !areTableNames(tables))
    throw refuse('"tables" lists layers and names, as in silver.stocks');
  return given;
}
