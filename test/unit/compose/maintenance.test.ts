/** What the composition root gives maintenance: the limits of its own flow, and what belongs into a backup. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { projectExtras } from '../../../src/compose-backup.js';
import { maintenanceEngine } from '../../../src/compose-maintenance.js';
import { parseConfig, type LoadedConfig } from '../../../src/config/config.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'datalab-compose-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const loaded = (yaml: string): LoadedConfig => ({
  config: parseConfig(yaml, {}),
  projectDirectory: folder,
});

it('gives the sessions of maintenance the memory and cores of limits.maintenance', async () => {
  const engine = maintenanceEngine(
    loaded(
      'limits: { etl: { cores: 7, memoryGb: 9 }, maintenance: { cores: 3, memoryGb: 2 } }\n' +
        'worker: { concurrency: { maintenance: 4 } }',
    ),
  );
  const session = await engine.open({ inputs: [] });
  try {
    const [row] = await session.rows<{ memory: string; threads: bigint }>(
      "SELECT current_setting('memory_limit') AS memory, current_setting('threads') AS threads",
    );
    // 2 GiB for four steps at once, as DuckDB reads and writes it: 512 of its megabytes are 488.2 MiB.
    expect(row?.memory).toBe('488.2 MiB');
    expect(Number(row?.threads)).toBe(3);
  } finally {
    await session.close();
  }
});

it('takes configuration, datasets and the stores of this machine into a backup, and no secrets', async () => {
  const write = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  write('datalab.yaml', '');
  write('.env', 'AWS_SECRET_ACCESS_KEY=no');
  write('datasets/sales/dataset.yaml', 'name: sales');
  write('state/data/mlflow/artifacts/1/model/MLmodel', 'flavors: {}');
  mkdirSync(path.join(folder, 'state/data/temporal'), { recursive: true });
  const database = path.join(folder, 'state/data/temporal/temporal.db');
  const writer = createClient({ url: pathToFileURL(database).href });
  await writer.execute('PRAGMA journal_mode = WAL');
  await writer.execute('CREATE TABLE runs (id INTEGER)');
  await writer.batch(Array.from({ length: 500 }, (_, id) => `INSERT INTO runs VALUES (${id})`));
  const { files, problems } = await projectExtras(loaded(''), path.join(folder, 'state'));
  expect(problems).toEqual([]);
  expect(files.map(({ key }) => key).sort()).toEqual([
    ...['datalab.yaml', 'datasets/sales/dataset.yaml', 'mlflow/artifacts/1/model/MLmodel'],
    'temporal/temporal.db',
  ]);
  // The database is copied as it is at one moment, while it is open and its newest rows are in the log beside it.
  const copy = path.join(folder, 'copy.db');
  await files.find(({ key }) => key === 'temporal/temporal.db')?.copy?.(copy);
  writer.close();
  const reader = createClient({ url: pathToFileURL(copy).href });
  expect((await reader.execute('SELECT count(*) AS n FROM runs')).rows[0]?.['n']).toBe(500);
  expect((await reader.execute('PRAGMA integrity_check')).rows[0]?.['integrity_check']).toBe('ok');
  reader.close();
});

it('says what is included and not there', async () => {
  mkdirSync(path.join(folder, 'datasets'));
  const { problems } = await projectExtras(
    loaded('maintenance: { backup: { include: [nowhere.db] } }'),
    path.join(folder, 'state'),
  );
  expect(problems).toEqual(['nowhere.db is not there, and not in the backup']);
});
