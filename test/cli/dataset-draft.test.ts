/** A drafted dataset is valid, and takes the file that it was drafted from in, whole. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { draftDataset, type DraftFormat } from '../../src/cli/dataset-draft.js';
import { loadDataset } from '../../src/config/datasets.js';
import { Workbench } from '../medallion/workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

const ORDERS =
  'Order ID;Placed at;Amount (EUR);Paid;Note\n' +
  '1;2024-01-01 10:00:00;1.5;true;"a;b"\n2;2024-01-02 10:00:00;2.5;false;\n3;2024-01-02 10:00:00;2.5;false;x\n';
const EVENTS = [
  '{"kind":"open","when":"2024-01-01T00:00:00Z","n":1}',
  '{"kind":"open","when":"2024-01-01T00:00:00Z","n":1}',
];

async function draft(name: string, file: string, text: string, format: DraftFormat, key?: string[]) {
  const source = bench.source(file, text);
  const session = await bench.engine.open({ inputs: [source.localPath] });
  try {
    const made = await draftDataset(session, {
      ...{ name, location: source.localPath, localPath: source.localPath, format },
      ...(key && { key }),
    });
    const folder = path.join(bench.folder, 'datasets', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'dataset.yaml'), made.yaml);
    writeFileSync(path.join(folder, 'silver.sql'), made.silverSql);
    const dataset = await loadDataset(path.join(bench.folder, 'datasets'), name);
    return { made, dataset, source };
  } finally {
    await session.close();
  }
}

it('reads names, types, delimiter and a key off a CSV file', async () => {
  const { made, dataset, source } = await draft('orders', 'orders.csv', ORDERS, 'csv');
  expect(made.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'Order_ID long',
    'Placed_at timestamp',
    'Amount_EUR double',
    'Paid boolean',
    'Note string',
  ]);
  expect(made.key).toEqual(['Order_ID']);
  expect(dataset.source.csv.delimiter).toBe(';');
  const bronze = await bench.ingest(dataset, source);
  expect(bronze.ledger).toEqual({ read: 3, accepted: 3, duplicate: 0, quarantined: 0 });
  const silver = await bench.refine(dataset, bronze);
  expect(silver.ledger.accepted).toBe(3);
  const rows = await bench.read(
    bench.plan(silver.schema, silver.silver),
    'ORDER BY Order_ID',
    'Placed_at, Note',
  );
  expect(rows[0]).toEqual({ Placed_at: '2024-01-01T10:00:00.000Z', Note: 'a;b' });
});

it('keeps every row where nothing tells them apart', async () => {
  const { made, dataset, source } = await draft('events', 'events.jsonl', `${EVENTS.join('\n')}\n`, 'jsonl');
  expect(made.key).toEqual([]);
  expect(made.yaml).toContain('mode: append');
  const bronze = await bench.ingest(dataset, source, bench.source('more.jsonl', `${EVENTS[0]}\n`));
  const silver = await bench.refine(dataset, bronze);
  expect(silver.ledger).toEqual({ read: 3, accepted: 3, duplicate: 0, quarantined: 0 });
});

it('takes the key that it is given, under the names of the file', async () => {
  const { made, dataset } = await draft('given', 'orders.csv', ORDERS, 'csv', ['Order ID', 'Paid']);
  expect(made.key).toEqual(['Order_ID', 'Paid']);
  expect(dataset.key).toEqual(['Order_ID', 'Paid']);
});
