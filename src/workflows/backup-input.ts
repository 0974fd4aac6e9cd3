/** What `lakeBackup` is started with, checked before anything is touched. */
import { BACKUP_TASKS, type BackupInput } from '../contracts/backup.js';
import { refuseInput } from './input.js';
import { areTableNames, isTableName } from './table-name.js';

const refuse = refuseInput('lakeBackup takes {"task": "create"}, or verify, restore or drill');
const KEYS: Readonly<Record<BackupInput['task'], readonly string[]>> = {
  create: ['tables', 'dryRun'],
  verify: ['backup'],
  restore: ['backup', 'table', 'version', 'time', 'into'],
  drill: ['backup'],
};
const BACKUP_ID = /^[A-Za-z0-9_-]+$/;

/** The input as it is. Fails the flow for good with INPUT_INVALID. */
export function parseBackup(input: unknown): BackupInput {
  if (typeof input !== 'object' || input === null) throw refuse('an object is expected');
  const { task, ...rest } = input as { task?: BackupInput['task'] } & Record<string, unknown>;
  if (task === undefined || !BACKUP_TASKS.includes(task))
    throw refuse(`"task" is one of ${BACKUP_TASKS.join(', ')}`);
  const strange = Object.keys(rest).filter((key) => !KEYS[task].includes(key));
  if (strange.length > 0) throw refuse(`"${task}" has no ${strange.join(', ')}`);
  const { backup, table, version, time, into, tables, dryRun } = rest;
  if (backup !== undefined && !(typeof backup === 'string' && BACKUP_ID.test(backup)))
    throw refuse('"backup" is an id, as `datalab backup list` shows it');
  if (table !== undefined && !isTableName(table)) throw refuse('"table" is a layer and a name');
  if (tables !== undefined && !areTableNames(tables)) throw refuse('"tables" lists layers and names');
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw refuse('"dryRun" is true or false');
  if (version !== undefined && !(Number.isSafeInteger(version) && table !== undefined))
    throw refuse('"version" is a whole number, and needs a "table"');
  if (time !== undefined && !(typeof time === 'string' && !Number.isNaN(Date.parse(time))))
    throw refuse('"time" is an ISO instant');
  if (into !== undefined && !(typeof into === 'string' && /^(s3|file):\/\/.+/.test(into)))
    throw refuse('"into" is s3://bucket/prefix or file:///folder');
  return input as BackupInput;
}
