import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDataset } from '../../src/config/dataset.js';
import { listDatasets, loadDataset } from '../../src/config/datasets.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datalab-datasets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = new Map([
  ['silver.sql', 'SELECT * FROM bronze.d'],
  ['gold/g.sql', 'SELECT 1 AS a'],
]);
const minimal = {
  name: 'd',
  source: { location: 'in/*.csv', format: 'csv' },
  columns: [{ name: 'a', type: 'long' }],
  key: ['a'],
  silver: { sql: 'silver.sql' },
};

describe('parseDataset', () => {
  it('fills in the defaults', () => {
    expect(parseDataset('d', minimal, files)).toMatchObject({
      source: { kind: 'files', csv: { delimiter: ',', quote: '"' } },
      columns: [{ name: 'a', type: 'long', required: true }],
      silver: { sql: 'SELECT * FROM bronze.d', rules: [] },
      gold: [],
      checks: [
        { kind: 'row_count', name: 'row_count', severity: 'warn', min: 1000 },
        {
          kind: 'nulls',
          name: 'nulls_a',
          severity: 'warn',
          column: 'a',
          max: { unit: 'ratio', value: 0.05 },
        },
        { kind: 'duplicates', name: 'duplicates', columns: ['a'], max: { unit: 'ratio', value: 0.02 } },
      ],
      score: { min: 0.85, severity: 'warn' },
    });
    const own = { minRows: 7, maxNullRatio: 0.5, maxDuplicateRatio: 0.1, minScore: 0.5 };
    const other = parseDataset('d', minimal, files, own);
    expect(other.checks).toMatchObject([{ min: 7 }, { max: { value: 0.5 } }, { max: { value: 0.1 } }]);
    expect(other.score.min).toBe(0.5);
  });

  it('keeps every row in mode append, and wants either that or a key', () => {
    const { key, ...keyless } = minimal;
    const { checks, ...made } = parseDataset('d', { ...keyless, mode: 'append' }, files);
    expect(made.key).toEqual(['_source_id', '_source_line']);
    expect(checks.map(({ kind }) => kind)).toEqual(['row_count', 'nulls']);
    expect(parseDataset('d', { ...keyless, mode: 'replace' }, files)).toMatchObject({
      key: ['_source_file', '_source_line'],
      replaces: true,
    });
    const topic = { ...keyless, mode: 'replace', source: { location: 'kafka://orders', format: 'jsonl' } };
    expect(() => parseDataset('d', topic, files)).toThrow(/mode: replace is for files/);
    expect(() => parseDataset('d', keyless, files)).toThrow(/key: either a key, or mode: append/);
    expect(() => parseDataset('d', { ...keyless, key, mode: 'append' }, files)).toThrow(/either a key/);
  });

  it('takes a Kafka topic for JSON lines only, and addresses without passwords', () => {
    const of = (location: string, format: string): (() => unknown) => {
      return () => parseDataset('d', { ...minimal, source: { location, format } }, files);
    };
    expect(of('kafka://orders.v1', 'jsonl')).not.toThrow();
    expect(of('kafka://orders', 'csv')).toThrow(/source\.format.*jsonl/);
    expect(of('https://example.com/a.jsonl', 'jsonl')).not.toThrow();
    expect(of('https://me:secret@example.com/a.jsonl', 'jsonl')).toThrow(/source\.location/);
    expect(of('kafka://orders/0', 'jsonl')).toThrow(/source\.location.*kafka:\/\/topic/);
  });

  it('reports every problem of the shape at once, with its place', () => {
    const wrong = {
      ...minimal,
      colour: 'red',
      source: { location: '', format: 'xml' },
      columns: [
        { name: '_a', type: 'int' },
        { name: 'a b', type: 'decimal(40,2)' },
      ],
      silver: { sql: '../../etc/passwd' },
      checks: [{ kind: 'vibes' }],
    };
    const attempt = (): unknown => parseDataset('d', wrong, files);
    expect(attempt).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }) as Error);
    for (const place of [
      'colour',
      'source.location',
      'source.format',
      'columns[0].name',
      'columns[0].type: one of string, boolean',
      'columns[1].name',
      'columns[1].type',
      'silver.sql',
      'checks[0]',
    ]) {
      expect(attempt).toThrow(place);
    }
  });

  it('reports every problem between keys at once', () => {
    const wrong = {
      ...minimal,
      name: 'other',
      columns: [
        { name: 'a', type: 'long', zone: 'UTC' },
        { name: 'A', type: 'long' },
      ],
      gold: [
        { table: 'g', sql: 'gold/g.sql' },
        { table: 'g', sql: 'gold/missing.sql' },
      ],
      checks: [
        { kind: 'nulls', column: 'zz' },
        { kind: 'row_count', severity: 'quarantine' },
        { kind: 'row_count' },
      ],
    };
    const attempt = (): unknown => parseDataset('d', wrong, files);
    for (const place of [
      'name: must be',
      'columns[1].name: is there twice',
      'columns[0].zone',
      'gold[1].table',
      "gold[1].sql: no file 'gold/missing.sql'",
      'checks[0].column: no such column; declared are a, A',
      'checks[1].severity',
      'checks[2].name',
    ]) {
      expect(attempt).toThrow(place);
    }
  });

  it('changes its fingerprint with its meaning, and not with the order of its keys', () => {
    const { fingerprint } = parseDataset('d', minimal, files);
    const turned = Object.fromEntries(Object.entries(minimal).reverse());
    expect(parseDataset('d', turned, files).fingerprint).toBe(fingerprint);
    const edited = new Map([...files, ['silver.sql', 'SELECT a FROM bronze.d']]);
    expect(parseDataset('d', minimal, edited).fingerprint).not.toBe(fingerprint);
    expect(parseDataset('d', { ...minimal, description: 'x' }, files).fingerprint).not.toBe(fingerprint);
  });
});

describe('loadDataset', () => {
  function write(name: string, yaml: string): void {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'dataset.yaml'), yaml);
    writeFileSync(join(folder, name, 'silver.sql'), 'SELECT * FROM bronze.d');
  }

  it('reads the folder of the dataset, and lists the folders', async () => {
    write('d', JSON.stringify(minimal));
    mkdirSync(join(folder, 'empty'));
    expect(await listDatasets(folder)).toEqual(['d']);
    expect((await loadDataset(folder, 'd')).silver.sql).toBe('SELECT * FROM bronze.d');
    expect(await listDatasets(join(folder, 'nowhere'))).toEqual([]);
  });

  it('knows what it does not know, and stays in its folder', async () => {
    write('d', JSON.stringify(minimal));
    for (const name of ['nope', '../d', '', 'd/../d']) {
      await expect(loadDataset(folder, name)).rejects.toMatchObject({
        code: 'DATASET_UNKNOWN',
        message: expect.stringContaining('is: d') as string,
      });
    }
  });

  it('says where the YAML is broken', async () => {
    write('d', 'name: d\n  source: [');
    await expect(loadDataset(folder, 'd')).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringContaining('line 2') as string,
    });
  });

  it('reads the datasets of the project', async () => {
    const project = new URL('../../datasets', import.meta.url).pathname;
    for (const name of await listDatasets(project)) {
      expect((await loadDataset(project, name)).name).toBe(name);
    }
    expect(await listDatasets(project)).toContain('stocks');
  });
});
