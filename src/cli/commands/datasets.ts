/** `datalab datasets …`: the declared pipelines, read from their folders; nothing has to run. */
import path from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/config.js';
import { listDatasets, loadDataset } from '../../config/datasets.js';
import { DatalabError } from '../../contracts/errors.js';
import type { DatasetDefinition } from '../../contracts/dataset.js';
import { EXIT } from '../exit.js';
import { addDatasetInit } from './dataset-init.js';
import { print } from '../session.js';
import { table } from '../text.js';

interface Folder {
  readonly names: readonly string[];
  readonly load: (name: string) => Promise<DatasetDefinition>;
}

export function addDatasets(program: Command): void {
  const datasets = program.command('datasets').description('The declared pipelines in datasets/');

  datasets
    .command('list')
    .description('every dataset with its source and its tables')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { names, load } = await openFolder();
      const loaded = await Promise.all(names.map(load));
      const rows = loaded.map(({ name, source, key, gold }) => ({
        name,
        source: source.location,
        key,
        gold: gold.map((definition) => definition.table),
      }));
      const text = table(
        ['dataset', 'source', 'key', 'gold tables'],
        rows.map((row) => [row.name, row.source, row.key.join(', '), row.gold.join(', ')]),
      );
      print(json, rows, rows.length === 0 ? 'no datasets' : text);
    });

  addDatasetInit(datasets);

  datasets
    .command('show')
    .argument('<dataset>', 'as in `datalab datasets list`')
    .description('one dataset, whole, as JSON')
    .action(async (name: string) => print(true, await (await openFolder()).load(name), ''));

  datasets
    .command('validate')
    .argument('[dataset]', 'only this one')
    .description('check one dataset or all; exit code 2 when one is wrong')
    .action(async (name?: string) => {
      const { names, load } = await openFolder();
      for (const each of name === undefined ? names : [name]) {
        try {
          await load(each);
          process.stdout.write(`${each}: ok\n`);
        } catch (error) {
          if (!(error instanceof DatalabError)) throw error;
          process.stdout.write(`${each}: ${error.code}: ${error.message}\n`);
          process.exitCode = EXIT.usage;
        }
      }
    });
}

async function openFolder(): Promise<Folder> {
  const { config, projectDirectory } = await loadConfig({
    projectDirectory: process.cwd(),
    env: process.env,
  });
  const directory = path.resolve(projectDirectory, config.datasets.directory);
  return {
    names: await listDatasets(directory),
    load: (name) => loadDataset(directory, name, config.quality),
  };
}
