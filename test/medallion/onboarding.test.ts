import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { loadDataset } from '../../src/config/datasets.js';
import { aggregate } from '../../src/medallion/aggregate.js';
import { Workbench } from './workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

it('takes a dataset of another shape to Gold with nothing but its folder', async () => {
  const dataset = await loadDataset(new URL('datasets', import.meta.url).pathname, 'sensors');
  const lines = [
    '{"device":"A","at":"2024-01-01T00:00:00Z","reading":20.5,"ok":true,"place":{"lat":1}}',
    '{"reading":"21.25","at":"2024-01-01 00:00:00","device":"a"}',
    '',
    '{"device":"B","at":"2024-01-01T00:00:00Z","reading":20.5001}',
    '{"device":"B","at":"2024-01-01T00:00:00Z","reading":200}',
    '{"device":null,"at":"2024-01-01T00:00:00Z","reading":1}',
    'not json',
    '[1,2]',
    '{"device":"B","at":"2024-01-02T00:00:00-03:00","reading":-1,"more":[1]}',
    '{"device":"B","at":"2024-01-02T03:00:00Z","reading":-2}',
    '{"device":"B","at":"yesterday","reading":1}',
    '{"device":"a\u001fb","at":"2024-01-01T00:00:00Z","reading":1}',
  ];
  const bronze = await bench.ingest(dataset, bench.source('r.jsonl.gz', gzipSync(lines.join('\r\n'))));
  expect(bronze.ledger).toEqual({ read: 11, accepted: 6, duplicate: 0, quarantined: 5 });
  const refused = await bench.read(
    bench.plan(bronze.quarantineSchema, bronze.quarantine, 'bronze'),
    'ORDER BY _source_line',
    '_source_line::INTEGER AS line, rule, raw',
  );
  expect(refused).toEqual([
    { line: 4, rule: 'bad_value', raw: lines[3] },
    { line: 7, rule: 'bad_json', raw: lines[6] },
    { line: 8, rule: 'bad_json', raw: lines[7] },
    { line: 11, rule: 'bad_value', raw: lines[10] },
    { line: 12, rule: 'bad_json', raw: lines[11] },
  ]);

  const silver = await bench.refine(dataset, bronze);
  expect(silver.ledger).toEqual({ read: 6, accepted: 3, duplicate: 1, quarantined: 2 });
  expect(
    await bench.read(bench.plan(silver.schema, silver.silver), '', 'device, "at", reading, ok, place'),
  ).toEqual([
    { device: 'a', at: '2024-01-01T00:00:00.000Z', reading: '20.500', ok: true, place: '{"lat":1}' },
    // 03:00 UTC is midnight in São Paulo: the zone of times that carry none.
    { device: 'a', at: '2024-01-01T03:00:00.000Z', reading: '21.250', ok: null, place: null },
    { device: 'b', at: '2024-01-02T03:00:00.000Z', reading: '-2.000', ok: null, place: null },
  ]);
  const [gold] = dataset.gold;
  const table = await aggregate({
    engine: bench.engine,
    dataset,
    gold: gold as NonNullable<typeof gold>,
    silver: bench.plan(silver.schema, silver.silver),
    outputDirectory: bench.directory(),
  });
  expect(await bench.read(bench.plan(table.schema, table.gold))).toEqual([
    { device: 'a', readings: 2n, highest: '21.250', latest: '2024-01-01T03:00:00.000Z' },
    { device: 'b', readings: 1n, highest: '-2.000', latest: '2024-01-02T03:00:00.000Z' },
  ]);
});
