/** One run over several workers: each reads shares of the new files from a scratch of its own, and one commit shows them all. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DatalabClient } from '../../src/client/index.js';
import { connectTemporal } from '../../src/connectors/temporal.js';
import { parseConfig } from '../../src/config/config.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack } from '../support/stack.js';
import { datalab, ownLake, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const FILES = 12;
const DATASET = `
name: visits
source: { location: 'in/*.csv', format: csv }
columns: [{ name: id, type: long }, { name: page, type: string }]
key: [id]
silver: { sql: silver.sql }
gold: [{ table: visits_total, sql: total.sql }]
checks: [{ kind: row_count, severity: warn, min: 1 }]
`;

const project = mkdtempSync(path.join(tmpdir(), 'datalab-shares-'));
let lake: OwnLake;
const workers: WorkerProcess[] = [];

function put(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  writeFileSync(path.join(project, file), text);
}

beforeAll(async () => {
  const stack = await testStack('s3', 'temporal');
  lake = await ownLake(stack.env, 'shares', await ownNamespace(stack.temporal.address, 'shares'));
  put('datalab.yaml', 'kafka: { enabled: false }\nworker: { shareMb: 0.0001, concurrency: { etl: 1 } }\n');
  put('datasets/visits/dataset.yaml', DATASET);
  put('datasets/visits/silver.sql', 'SELECT * EXCLUDE (_extra) FROM bronze.visits');
  put('datasets/visits/total.sql', 'SELECT count(*) AS visits, sum(id)::BIGINT AS ids FROM silver.visits');
  // Each is longer than the one before; one row in each is refused.
  for (let file = 0; file < FILES; file++) {
    const rows = Array.from({ length: 10 + file }, (_, row) => `${file * 100 + row},/${'x'.repeat(file)}`);
    put(`in/${file}.csv`, ['id,page', ...rows, 'none,/', ''].join('\n'));
  }
  const own = (name: string) => ({
    ...lake.env,
    DATALAB_SCRATCH_DIRECTORY: path.join(project, name, 'scratch'),
    DATALAB_CACHE_DIRECTORY: path.join(project, name, 'cache'),
  });
  workers.push(
    ...(await Promise.all([
      WorkerProcess.start(own('flows'), ['flows'], project),
      WorkerProcess.start(own('one'), ['etl'], project),
      WorkerProcess.start(own('two'), ['etl'], project),
    ])),
  );
}, 180_000);
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await lake?.remove();
  rmSync(project, { recursive: true, force: true });
});

it('is read by both, and is one version of Bronze with every row once', async () => {
  const { temporal } = parseConfig('', lake.env);
  const client = await DatalabClient.connect(temporal);
  const handle = await client.startEtl({ dataset: 'visits' });
  const ending = await handle.result();
  await client.close();
  const rows = (FILES * (10 + 10 + FILES - 1)) / 2;
  expect(ending).toMatchObject({
    status: 'completed',
    summary: {
      ...{ outcome: 'ok', sources: { listed: FILES, ingested: FILES } },
      bronze: { read: rows + FILES, accepted: rows, quarantined: FILES },
      silver: { accepted: rows },
    },
  });
  const connection = await connectTemporal(temporal);
  const { events = [] } = await connection.workflow.getHandle(handle.workflowId).fetchHistory();
  await connection.connection.close();
  const writes = new Set(
    (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled?.activityType?.name === 'writeBronze' ? [String(eventId)] : [],
    ),
  );
  const readers = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started && writes.has(String(started.scheduledEventId)) ? [started.identity] : [],
  );
  expect(readers.length).toBe(FILES);
  expect(new Set(readers).size).toBe(2);

  const { stdout } = await datalab(['tables', 'history', 'bronze.visits', '--json'], lake.env, project);
  expect(JSON.parse(stdout)).toHaveLength(1);
  const total = await datalab(
    ['tables', 'query', 'SELECT visits::INT AS visits, ids::INT AS ids FROM gold.visits_total', '--json'],
    ...[lake.env, project],
  );
  const ids = Array.from({ length: FILES }, (_, file) =>
    Array.from({ length: 10 + file }, (_unused, row) => file * 100 + row),
  ).flat();
  expect(JSON.parse(total.stdout)).toEqual([{ visits: rows, ids: ids.reduce((sum, id) => sum + id, 0) }]);
});
