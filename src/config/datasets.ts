/** The datasets folder: one folder per dataset, read afresh for every run so that an edit takes effect at once. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDocument } from 'yaml';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { datasetInvalid, parseDataset, type QualityDefaults } from './dataset.js';

const FILE = 'dataset.yaml';

/** Names of the datasets in the folder, sorted: folders that hold a `dataset.yaml`. A missing folder has none. */
export async function listDatasets(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ifMissing([]));
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isDirectory()) return [];
      const files = await readdir(path.join(directory, entry.name));
      return files.includes(FILE) ? [entry.name] : [];
    }),
  );
  return found.flat().sort();
}

/**
 * Reads one dataset. `defaults` are the thresholds of checks that leave theirs out. Throws DATASET_UNKNOWN where there
 * is no such folder, and DATASET_INVALID with every problem of its files.
 */
export async function loadDataset(
  directory: string,
  name: string,
  defaults?: QualityDefaults,
): Promise<DatasetDefinition> {
  // The name comes from a workflow's input: it must not lead out of the folder.
  const folder = /^[A-Za-z0-9_-]+$/.test(name) ? path.join(directory, name) : undefined;
  const text = folder && (await readFile(path.join(folder, FILE), 'utf8').catch(ifMissing(undefined)));
  if (folder === undefined || text === undefined) {
    const known = await listDatasets(directory);
    throw new DatalabError(
      'DATASET_UNKNOWN',
      `no dataset '${name}' in ${directory}; there ${known.length === 0 ? 'are none' : `is: ${known.join(', ')}`}`,
    );
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw datasetInvalid(
      name,
      document.errors.map((error) => ({ at: FILE, message: error.message.split('\n')[0] ?? error.message })),
    );
  }
  return parseDataset(name, document.toJS(), await sqlFiles(folder), defaults);
}

/** Every `.sql` file below the folder, by its path in it. */
async function sqlFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.sql'));
  const read = files.map(async (entry): Promise<[string, string]> => {
    const file = path.join(entry.parentPath, entry.name);
    return [path.relative(folder, file).split(path.sep).join('/'), await readFile(file, 'utf8')];
  });
  return new Map(await Promise.all(read));
}

function ifMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}
