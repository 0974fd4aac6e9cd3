/** Sources in Parquet: every value as declared or its row refused, and the counts of the footer kept. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDataset } from '../../src/config/dataset.js';
import type { LocalSource } from '../../src/contracts/sources.js';
import { Workbench } from './workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

const dataset = parseDataset(
  'trades',
  {
    name: 'trades',
    source: { location: 'in/*.parquet', format: 'parquet' },
    columns: [
      { name: 'id', type: 'long' },
      { name: 'day', type: 'date' },
      { name: 'price', type: 'decimal(9,2)', aliases: ['amount'] },
      { name: 'at', type: 'timestamp', zone: 'America/Sao_Paulo', required: false },
      { name: 'note', type: 'string', required: false },
    ],
    key: ['id'],
    silver: { sql: 'silver.sql' },
  },
  new Map([['silver.sql', 'SELECT * FROM bronze.trades']]),
);

/** A Parquet file with the rows of a SELECT. */
async function parquet(name: string, select: string): Promise<LocalSource> {
  const session = await bench.engine.open({ inputs: [], outputDirectory: bench.directory() });
  try {
    const written = await session.writeParquet(select, 'x.parquet');
    const file = path.join(bench.directory(), name);
    copyFileSync(written?.localPath ?? '', file);
    return bench.sourceAt(file, `file:///in/${name}`);
  } finally {
    await session.close();
  }
}

const rowsOf = async (...sources: LocalSource[]) => {
  const made = await bench.ingest(dataset, ...sources);
  const columns = 'id, day, price::VARCHAR AS price, "at", note, _extra, _source_line AS line';
  return {
    made,
    bronze: await bench.read(bench.plan(made.schema, made.bronze), 'ORDER BY line', columns),
    refused: await bench.read(
      bench.plan(made.quarantineSchema, made.quarantine, 'bronze'),
      'ORDER BY line',
      'rule, reason, raw, _source_line AS line',
    ),
  };
};

describe('a Parquet source', () => {
  it('is taken with its types, its row numbers and what is not declared', async () => {
    const source = await parquet(
      'good.parquet',
      `SELECT i::INTEGER AS id, DATE '2024-01-01' + i::INTEGER AS day, (i + 0.25)::DOUBLE AS amount,
        TIMESTAMP '2024-07-01 12:00:00' AS at, 'x' || i AS note, i * 2 AS more FROM range(1, 3) t(i)`,
    );
    const { made, bronze, refused } = await rowsOf(source);
    expect(made.ledger).toEqual({ read: 2, accepted: 2, duplicate: 0, quarantined: 0 });
    expect(refused).toEqual([]);
    // Noon in São Paulo is 15:00 UTC.
    const at = '2024-07-01T15:00:00.000Z';
    expect(bronze).toEqual([
      { id: 1n, day: '2024-01-02', price: '1.25', at, note: 'x1', _extra: '{"more":2}', line: 1n },
      { id: 2n, day: '2024-01-03', price: '2.25', at, note: 'x2', _extra: '{"more":4}', line: 2n },
    ]);
    expect(made.unknownColumns).toEqual(['more']);
  });

  it('has refused what a declared type cannot hold, row by row', async () => {
    const source = await parquet(
      'bad.parquet',
      `SELECT * FROM (VALUES (1.0, '2024-01-01', 1.5), (1.5, '2024-01-01', 1.5), (3.0, '2024-02-30', 1.5),
        (4.0, '2024-01-01', 1.005), (5.0, NULL, NULL)) t(id, day, price)`,
    );
    const { made, bronze, refused } = await rowsOf(source);
    expect(made.ledger).toEqual({ read: 5, accepted: 2, duplicate: 0, quarantined: 3 });
    expect(bronze.map((row) => (row as { line: bigint }).line)).toEqual([1n, 5n]);
    expect(refused.map((row) => (row as { rule: string; line: bigint }).line)).toEqual([2n, 3n, 4n]);
    expect(refused[0]).toMatchObject({ rule: 'bad_value', reason: 'id is no long: 1.5' });
    expect(refused[1]).toMatchObject({ reason: 'day is no date: 2024-02-30' });
  });

  it('is refused whole where its pages are damaged or its footer is gone', async () => {
    const good = await parquet(
      'page.parquet',
      `SELECT i AS id, DATE '2024-01-01' AS day, 1 AS price FROM range(5000) t(i)`,
    );
    const bytes = readFileSync(good.localPath);
    const damaged = Buffer.from(bytes);
    // A page's header; in its values damage can hide, for Parquet files rarely carry checksums.
    damaged.fill(0xff, 4, 60);
    const pages = path.join(bench.directory(), 'pages.parquet');
    writeFileSync(pages, damaged);
    const footer = path.join(bench.directory(), 'footer.parquet');
    writeFileSync(footer, bytes.subarray(0, bytes.length - 100));
    for (const file of [pages, footer]) {
      const { made, bronze, refused } = await rowsOf(bench.sourceAt(file));
      expect(made.ledger).toEqual({ read: 1, accepted: 0, duplicate: 0, quarantined: 1 });
      expect(bronze).toEqual([]);
      expect(refused).toMatchObject([{ rule: 'parquet_damaged', line: null, raw: null }]);
    }
  });

  it('stops the run where a required column is missing', async () => {
    const source = await parquet('missing.parquet', `SELECT 1 AS id, DATE '2024-01-01' AS day`);
    await expect(bench.ingest(dataset, source)).rejects.toMatchObject({ code: 'SOURCE_HEADER_MISMATCH' });
  });
});
