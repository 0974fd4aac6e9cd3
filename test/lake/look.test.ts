/** Looks into tables: what columns hold, which files there are, and results taken away as files. */
import { tableFromIPC } from 'apache-arrow';
import parquet from 'parquetjs-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportLake } from '../../src/lake/export.js';
import { tableFiles, tablePartitions } from '../../src/lake/files.js';
import { profileTable } from '../../src/lake/profile.js';
import { parseTableName, type LakeReader } from '../../src/lake/tables.js';
import { Lab } from '../activities/lab.js';

let lab: Lab;
let lake: LakeReader;
const silver = parseTableName('silver.sales');

beforeAll(async () => {
  lab = new Lab();
  lab.source('a.csv', '1,ann,10', '2,bob,20', '3,carl,20', '4,dora,110');
  await lab.run();
  lab.source('b.csv', '5,zoe,60');
  await lab.run();
  lake = { store: lab.deps.lake, engine: lab.deps.engine };
});
afterAll(() => lab.close());

describe('a profile', () => {
  it('counts values between edges, the frequent ones of texts, and all rows once', async () => {
    const { rows, columns, complete } = await profileTable(lake, silver);
    expect([rows, complete]).toEqual([5, true]);
    for (const { name, histogram, nulls } of columns) {
      const counted = histogram.reduce((sum, one) => sum + one.rows, 0);
      expect(counted, name).toBe(5 - nulls);
    }
    const id = columns.find(({ name }) => name === 'id');
    expect(id).toMatchObject({ nulls: 0, min: '1', max: '5', distinct: 5 });
    expect(id?.histogram).toHaveLength(20);
    expect(id?.histogram[0]).toMatchObject({ from: '1', rows: 1 });
    expect(id?.histogram.at(-1)).toMatchObject({ to: '5', rows: 1 });
    const text = columns.find(({ type, name }) => type === 'VARCHAR' && !name.startsWith('_'));
    expect(text?.histogram.every(({ to }) => to === null)).toBe(true);
  });
});

describe('files', () => {
  it('are told by size, page by page, and their sizes add up', async () => {
    const all = await tableFiles(lake, parseTableName('bronze.sales'), {
      limit: 50,
      offset: 0,
      order: 'largest',
    });
    expect(all.total).toBe(2);
    expect(all.sizes.reduce((sum, { files }) => sum + files, 0)).toBe(2);
    expect(all.rows.map(({ rows }) => rows)).toEqual([4, 1]);
    const second = await tableFiles(lake, parseTableName('bronze.sales'), {
      ...{ limit: 1, offset: 1, order: 'largest' },
    });
    expect(second.rows).toEqual(all.rows.slice(1));
  });

  it('have no partitions where the table has none', async () => {
    expect(await tablePartitions(lake, silver, { limit: 10, offset: 0 })).toEqual({
      ...{ columns: [], total: 0, rows: [] },
    });
  });

  it('are of one partition by what its values mean, under the names of the table', async () => {
    const share = {
      ...{ name: 'share', type: 'double', nullable: true },
      metadata: { 'delta.columnMapping.id': 1, 'delta.columnMapping.physicalName': 'col-7' },
    };
    const n = {
      ...{ name: 'n', type: 'long', nullable: true },
      metadata: { 'delta.columnMapping.id': 2, 'delta.columnMapping.physicalName': 'col-8' },
    };
    const spellings = ['1e300', '1.0E300', '0.25'];
    const log = [
      { protocol: { minReaderVersion: 2, minWriterVersion: 5 } },
      {
        metaData: {
          ...{ id: 'b7f6', format: { provider: 'parquet', options: {} }, partitionColumns: ['share'] },
          schemaString: JSON.stringify({ type: 'struct', fields: [share, n] }),
          configuration: { 'delta.columnMapping.mode': 'name', 'delta.columnMapping.maxColumnId': '2' },
        },
      },
      ...spellings.map((text, index) => ({
        add: {
          ...{ path: `${index}.parquet`, size: 100, modificationTime: index, dataChange: true },
          ...{ partitionValues: { 'col-7': text }, stats: '{"numRecords":2}' },
        },
      })),
    ];
    const bytes = Buffer.from(log.map((action) => JSON.stringify(action)).join('\n'));
    await lab.store('gold/parted').put('_delta_log/00000000000000000000.json', bytes);
    const name = parseTableName('gold.parted');
    const { columns, total, rows } = await tablePartitions(lake, name, { limit: 10, offset: 0 });
    expect([columns, total]).toEqual([['share'], 2]);
    expect(rows.map(({ values, files, rows: count }) => [values, files, count])).toEqual([
      [{ share: '1e300' }, 2, 4],
      [{ share: '0.25' }, 1, 2],
    ]);
    const { rows: files } = await tableFiles(lake, name, { limit: 10, offset: 0, order: 'newest' });
    expect(files.map(({ partition }) => partition)).toEqual(
      [...spellings].reverse().map((text) => ({ share: text })),
    );
  });
});

describe('a result taken away', () => {
  const sql =
    `SELECT id, 1::UBIGINT AS wide, 170141183460469231731687303715884105727::HUGEINT AS huge, INTERVAL 3 DAY AS span, ` +
    `[1, 2] AS some, DATE '2026-01-31' AS day, TIMESTAMPTZ '2026-01-31 06:00:00+00' AS at, NULL::VARCHAR AS nothing ` +
    `FROM silver.sales ORDER BY id`;

  it('as Arrow has its types, and text where there is none', async () => {
    // The greatest HUGEINT has 39 digits; a decimal holds 38.
    const narrower = sql.replace('170141183460469231731687303715884105727', '12345678901234567890123456789');
    const table = tableFromIPC((await exportLake(lake, narrower, { limit: 3, format: 'arrow' })).bytes);
    expect(table.numRows).toBe(3);
    expect(
      Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, String(type)])),
    ).toMatchObject({
      id: 'Int64',
      span: 'Utf8',
      some: 'Utf8',
      day: 'Date32<DAY>',
      nothing: 'Utf8',
    });
    expect(table.get(2)?.toJSON()).toMatchObject({ id: 3n, span: '3 days', some: '[1, 2]', nothing: null });
  });

  it('as Parquet can be read by another reader', async () => {
    const { bytes, rows, tables } = await exportLake(lake, 'SELECT id FROM silver.sales ORDER BY id DESC', {
      ...{ limit: 2, format: 'parquet' },
    });
    const { ParquetReader } = parquet as unknown as {
      ParquetReader: { openBuffer(bytes: Buffer): Promise<{ getRowCount(): unknown }> };
    };
    const reader = await ParquetReader.openBuffer(Buffer.from(bytes));
    expect(Number(reader.getRowCount())).toBe(2);
    expect({ rows, tables: tables.map(({ name }) => name) }).toEqual({ rows: 2, tables: ['silver.sales'] });
  });

  it('is refused where there is none, or the SQL is no SELECT', async () => {
    await expect(
      exportLake(lake, 'SELECT id FROM silver.sales WHERE false', { limit: 9, format: 'parquet' }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(
      exportLake(lake, 'DROP TABLE silver.sales', { limit: 9, format: 'arrow' }),
    ).rejects.toMatchObject({ code: 'ENGINE_NOT_A_SELECT' });
  });
});
