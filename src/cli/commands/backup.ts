/** `datalab backup create | list | verify | restore | drill | files`. All but `list` and `files` go through the workflow `lakeBackup`. */
import path from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { loadConfig } from '../../config/config.js';
import { resolveLakeUri } from '../../connectors/lake-uri.js';
import { openObjectStore } from '../../connectors/object-store/index.js';
import type { BackupInput, BackupManifest, BackupSummary } from '../../contracts/backup.js';
import { DatalabError, type ErrorCode } from '../../contracts/errors.js';
import { BackupStore } from '../../lake/backup-store.js';
import { restoreFiles } from '../backup-files.js';
import { EXIT } from '../exit.js';
import { print, withSession, type Session } from '../session.js';
import { bytes, count, plural, table } from '../text.js';

interface Flags {
  readonly json?: boolean;
  readonly backup?: string;
  readonly table?: string;
  readonly to?: { readonly version: number } | { readonly time: string };
  readonly into?: string;
  readonly dryRun?: boolean;
}

export function addBackup(program: Command): void {
  const backup = program.command('backup').description('Backups of the lake: versions of tables, whole');
  task(
    backup,
    'create',
    'copy what the newest version of every table needs and the backup does not hold',
    ({ dryRun }) => ({ task: 'create', ...(dryRun && { dryRun }) }),
  ).option('--dry-run', 'copy nothing, say what would be copied');
  backup
    .command('list')
    .description('the backups that there are')
    .option('--json', 'print JSON')
    .action(({ json }: Flags) => list(json));
  named(
    task(backup, 'verify', 'read all of a backup and compare every file with its checksum', (flags) => ({
      ...{ task: 'verify', ...only(flags, 'backup') },
    })),
  );
  named(
    task(backup, 'restore', 'put tables of a backup where they are not; never overwrites', (flags) => ({
      task: 'restore',
      ...only(flags, 'backup', 'table', 'into'),
      ...flags.to,
    })),
  )
    .option('--table <name>', 'only this one, as in silver.stocks')
    .option(
      '--to <version|time>',
      'the newest backup of that time (ISO), or, with --table, the one that holds this version of it',
      versionOrTime,
    )
    .option('--into <uri>', 'another lake: s3://bucket/prefix or file:///folder');
  named(
    task(backup, 'drill', 'restore into a scratch prefix and compare the rows with the lake', (flags) => ({
      ...{ task: 'drill', ...only(flags, 'backup') },
    })),
  );
  named(
    backup
      .command('files')
      .description('put configuration, datasets and the stores of services into a folder; needs no service')
      .requiredOption('--into <folder>', 'made where it is not there; no file in it is overwritten')
      .option('--json', 'print JSON'),
  ).action(async ({ backup: id, into, json }: Flags & { into: string }) => {
    const folder = path.resolve(into);
    const done = await restoreFiles(await openBackups(), id, folder, new AbortController().signal);
    const places = [...new Set(done.files.map((key) => key.split('/')[0] ?? key))].join(', ');
    print(
      json,
      done,
      `backup ${done.backup}: ${plural(done.files.length, 'file')} (${bytes(done.bytes)}) in ${folder}: ${places}`,
    );
  });
}

function versionOrTime(text: string): NonNullable<Flags['to']> {
  if (/^\d{1,15}$/.test(text)) return { version: Number(text) };
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return { time: text };
  throw new InvalidArgumentError(
    'a version (a whole number) or a time, as in 2026-11-24T06:00:00Z, is expected',
  );
}

function only<Key extends 'backup' | 'table' | 'into'>(flags: Flags, ...keys: Key[]): Pick<Flags, Key> {
  return Object.fromEntries(
    keys.flatMap((key) => (flags[key] === undefined ? [] : [[key, flags[key]] as const])),
  ) as Pick<Flags, Key>;
}

function named(command: Command): Command {
  return command.option('--backup <id>', 'as in `datalab backup list`; default: the newest');
}

function task(
  backup: Command,
  name: string,
  description: string,
  inputOf: (flags: Flags) => BackupInput,
): Command {
  return backup
    .command(name)
    .description(description)
    .option('--json', 'print JSON')
    .action((flags: Flags) => withSession((session) => run(session, inputOf(flags), flags.json)));
}

async function run({ datalab }: Session, input: BackupInput, json: boolean | undefined): Promise<void> {
  const ending = await datalab.backup(input).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return {
      status: 'failed' as const,
      code: 'BACKUP_BUSY' satisfies ErrorCode,
      message: 'another backup or restore is under way',
    };
  });
  if (ending.status === 'completed') return print(json, ending.result, picture(ending.result));
  const said = ending.status === 'failed' ? `${ending.code}: ${ending.message}` : 'cancelled';
  print(json, ending, `backup ${input.task} did not succeed: ${said}`);
  process.exitCode = EXIT.failed;
}

const SAID: Readonly<Record<BackupInput['task'], string>> = {
  create: 'made',
  verify: 'verified, every file is what was backed up',
  restore: 'restored',
  drill: 'restored on trial, and equal to the lake row by row',
};

function picture({ run: { dryRun }, task: what, backup, figures, pruned, problems }: BackupSummary): string {
  if (dryRun)
    return [
      'nothing was copied: this was a dry run',
      `a backup of ${plural(figures.tables, 'table')}, ${plural(figures.objects, 'object')} (${bytes(figures.bytes)}), would copy at most ` +
        `${plural(figures.copiedObjects, 'object')}, ${bytes(figures.copiedBytes)}`,
    ].join('\n');
  return [
    `backup ${backup ?? ''}: ${SAID[what]}`,
    `${plural(figures.tables, 'table')}, ${plural(figures.objects, 'object')}, ${bytes(figures.bytes)}`,
    ...(what === 'create'
      ? [
          `copied ${plural(figures.copiedObjects, 'object')}, ${bytes(figures.copiedBytes)}; the rest was there`,
          `${plural(pruned.backups, 'old backup')} and ${plural(pruned.objects, 'object')} (${bytes(pruned.bytes)}) deleted`,
        ]
      : []),
    ...problems.map((problem) => `problem: ${problem}`),
  ].join('\n');
}

/** Where the configuration says that backups are. Throws BACKUP_NOT_CONFIGURED. */
async function openBackups(): Promise<BackupStore> {
  const { config, projectDirectory } = await loadConfig({
    ...{ projectDirectory: process.cwd(), env: process.env },
  });
  const { uri } = config.maintenance.backup;
  if (uri === '')
    throw new DatalabError('BACKUP_NOT_CONFIGURED', 'maintenance.backup.uri names no place for backups');
  const store = openObjectStore(resolveLakeUri(uri, projectDirectory), {
    s3: config.s3,
    cacheDirectory: path.resolve(projectDirectory, config.worker.cacheDirectory),
    cacheBytes: config.worker.cacheGb * 2 ** 30,
  });
  return new BackupStore(store);
}

async function list(json: boolean | undefined): Promise<void> {
  const backups = await openBackups();
  const found: BackupManifest[] = [];
  for (const id of await backups.ids()) found.push(await backups.manifest(id));
  const rows = found.map(({ id, at, tables }) => [
    id,
    at,
    count(tables.length),
    count(tables.reduce((sum, { files }) => sum + files, 0)),
    bytes(tables.reduce((sum, one) => sum + one.bytes, 0)),
  ]);
  print(
    json,
    found,
    rows.length === 0 ? 'there is no backup yet' : table(['backup', 'at', 'tables', 'files', 'size'], rows),
  );
}
