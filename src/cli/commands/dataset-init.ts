/** `datalab datasets init`: a dataset's folder from a look at one of its files. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/config.js';
import { openSources } from '../../connectors/sources/index.js';
import { DatalabError } from '../../contracts/errors.js';
import { DATASET_NAME } from '../../contracts/flows.js';
import { draftDataset, type DraftFormat } from '../dataset-draft.js';
import { withLake } from '../lake.js';
import { plural, table } from '../text.js';

interface Options {
  readonly from: string;
  readonly format?: string;
  readonly key?: string;
}

export function addDatasetInit(datasets: Command): void {
  datasets
    .command('init')
    .argument('<dataset>', 'a lower-case name, which becomes the name of the folder')
    .description('draft dataset.yaml and silver.sql from a look at one file')
    .requiredOption('--from <location>', 'as in source.location: a file, a glob, s3://…, https://…')
    .option('--format <format>', 'csv, jsonl or parquet, where the name of the file does not say it')
    .option('--key <columns>', 'columns that identify a row, parted by commas; else they are looked for')
    .action((name: string, options: Options) => init(name, options));
}

async function init(name: string, { from, format, key }: Options): Promise<void> {
  if (!DATASET_NAME.test(name))
    throw new DatalabError('INPUT_INVALID', `'${name}' is no lower-case name of letters, digits and _`);
  const { config, projectDirectory } = await loadConfig({
    projectDirectory: process.cwd(),
    env: process.env,
  });
  const folder = path.join(path.resolve(projectDirectory, config.datasets.directory), name);
  if (existsSync(folder))
    throw new DatalabError('INPUT_INVALID', `${path.relative(process.cwd(), folder)} is there already`);
  const scratch = mkdtempSync(path.join(tmpdir(), 'datalab-init-'));
  try {
    const sources = openSources({ projectDirectory, s3: config.s3 });
    const [first] = await sources.list(from);
    if (!first) throw new DatalabError('SOURCE_NOT_FOUND', `no file at ${from}`);
    const { localPath } = await sources.download(first, scratch);
    const draft = await withLake(async ({ engine, signal }) => {
      const session = await engine.open({ inputs: [localPath], signal });
      try {
        return await draftDataset(session, {
          ...{ name, location: from, localPath, format: formatOf(first.path, format) },
          ...(key !== undefined && { key: key.split(',').map((column) => column.trim()) }),
        });
      } finally {
        await session.close();
      }
    });
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'dataset.yaml'), draft.yaml);
    writeFileSync(path.join(folder, 'silver.sql'), draft.silverSql);
    const shown = table(
      ['column', 'type', 'in the file'],
      draft.columns.map((column) => [column.name, column.type, column.alias ?? column.name]),
    );
    const identity =
      draft.key.length > 0 ? `key ${draft.key.join(', ')}` : 'no key found, so every row stays';
    process.stdout.write(
      `${shown}\n${plural(draft.rows, 'row')} looked at; ${identity}.\n\n` +
        `Look at ${path.relative(process.cwd(), folder)}/dataset.yaml, then:\n` +
        `  datalab datasets validate ${name}\n  datalab runs start ${name} --wait\n`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const ENDINGS: ReadonlyArray<readonly [RegExp, DraftFormat]> = [
  [/\.(csv|tsv|txt)(\.(gz|zst))?$/i, 'csv'],
  [/\.(jsonl|ndjson|json)(\.(gz|zst))?$/i, 'jsonl'],
  [/\.parquet$/i, 'parquet'],
];

function formatOf(file: string, given: string | undefined): DraftFormat {
  if (given === 'csv' || given === 'jsonl' || given === 'parquet') return given;
  if (given !== undefined)
    throw new DatalabError('INPUT_INVALID', `--format ${given}: one of csv, jsonl, parquet`);
  const found = ENDINGS.find(([ending]) => ending.test(file))?.[1];
  if (found) return found;
  throw new DatalabError(
    'INPUT_INVALID',
    `${file} does not say what it is: give --format csv, jsonl or parquet`,
  );
}
