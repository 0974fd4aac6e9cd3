/** What `lakeMaintenance` is started with, checked before anything is touched. */
import { DATASET_NAME } from '../contracts/flows.js';
import type { LakeMaintenanceInput } from '../contracts/lake-maintenance.js';
import { refuseInput } from './input.js';
import { areTableNames } from './table-name.js';

const refuse = refuseInput(
  'lakeMaintenance takes {"dryRun"?: true, "tables"?: ["silver.stocks"], "datasets"?: ["stocks"], "only"?: "audit" | "fsck", "repair"?: true}',
);
const KEYS = ['dryRun', 'tables', 'datasets', 'only', 'repair'];

/** The input as it is. Fails the flow for good with INPUT_INVALID: a misspelt `dryRun` must not become a real run. */
export function parseLakeMaintenance(input: unknown): LakeMaintenanceInput {
  const given = input ?? {};
  if (typeof given !== 'object') throw refuse('an object is expected');
  const strange = Object.keys(given).filter((key) => !KEYS.includes(key));
  if (strange.length > 0) throw refuse(`there is no ${strange.join(', ')}`);
  const { dryRun, tables, datasets, only, repair } = given as Partial<LakeMaintenanceInput>;
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw refuse('"dryRun" is true or false');
  if (tables !== undefined && !areTableNames(tables))
    throw refuse('"tables" lists layers and names, as in silver.stocks');
  if (datasets !== undefined && !areDatasetNames(datasets))
    throw refuse('"datasets" lists names of folders in datasets/');
  if (only !== undefined && only !== 'audit' && only !== 'fsck') throw refuse('"only" is "audit" or "fsck"');
  if (repair !== undefined && typeof repair !== 'boolean') throw refuse('"repair" is true or false');
  if (repair && only === 'audit') throw refuse('an audit repairs nothing');
  return given;
}

function areDatasetNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && DATASET_NAME.test(name));
}
