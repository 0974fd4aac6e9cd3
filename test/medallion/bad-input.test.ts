import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/config/datasets.js';
import type { DatasetDefinition } from '../../src/contracts/dataset.js';
import { refine } from '../../src/medallion/refine.js';
import { BAD_INPUTS, HEADER, type Refused } from './bad-input.cases.js';
import { RUN, Workbench } from './workbench.js';

const root = new URL('../../', import.meta.url).pathname;
const bench = new Workbench();
let dataset: DatasetDefinition;
beforeAll(async () => {
  dataset = await loadDataset(`${root}datasets`, 'stocks');
});
afterAll(() => bench.close());

async function toSilver(...sources: Parameters<Workbench['ingest']>[1][]) {
  const bronze = await bench.ingest(dataset, ...sources);
  const silver = await bench.refine(dataset, bronze);
  return { bronze, silver };
}

async function refused(
  result: { quarantineSchema: DatasetSchema; quarantine: Parameters<Workbench['plan']>[1] },
  layer: string,
): Promise<Refused> {
  const rows = await bench.read<{ rule: string; line: number | null; reason: string; _ingested_at: string }>(
    bench.plan(result.quarantineSchema, result.quarantine, layer),
    'ORDER BY _source_line',
    'rule, _source_line::INTEGER AS line, reason, _ingested_at',
  );
  for (const row of rows) {
    expect(row.reason).not.toBe('');
    expect(row._ingested_at).toBe(RUN.at);
  }
  return rows.map(({ rule, line }) => [rule, line] as const);
}
type DatasetSchema = Parameters<Workbench['plan']>[0];

describe('bad input', () => {
  it.each(BAD_INPUTS)('$name', async (input) => {
    const source = bench.source('in.csv', input.bytes);
    if (input.error !== undefined) {
      await expect(bench.ingest(dataset, source)).rejects.toMatchObject({ code: input.error });
      return;
    }
    const { bronze, silver } = await toSilver(source);
    const bronzeRefused = input.bronze ?? [];
    const silverRefused = input.silver ?? [];
    expect(await refused(bronze, 'bronze')).toEqual(bronzeRefused);
    expect(await refused(silver, 'silver')).toEqual(silverRefused);
    const read = input.read ?? 0;
    const accepted = read - bronzeRefused.length;
    const duplicate = input.duplicate ?? 0;
    expect(bronze.ledger).toEqual({ read, accepted, duplicate: 0, quarantined: bronzeRefused.length });
    expect(silver.ledger).toEqual({
      read: accepted,
      accepted: accepted - duplicate - silverRefused.length,
      duplicate,
      quarantined: silverRefused.length,
    });
    const lines = await bench.read<{ line: number }>(
      bench.plan(silver.schema, silver.silver),
      'ORDER BY line',
      '_source_line::INTEGER AS line',
    );
    expect(lines.map((row) => row.line)).toEqual(input.lines);
  });

  it('keeps the raw line of what it refuses, whatever refuses it', async () => {
    const lines = [
      '2020-01-01,"A\nB",x',
      'x,"Q ""q""",1,1,1,1,1',
      '2020-01-01,"A"B,1',
      '2020-01-01,Ç,1,1,1,1,1,1',
    ];
    const bronze = await bench.ingest(dataset, bench.source('raw.csv', [HEADER, ...lines].join('\n')));
    const rows = await bench.read<{ raw: string }>(
      bench.plan(bronze.quarantineSchema, bronze.quarantine, 'bronze'),
      'ORDER BY _source_line',
      'raw',
    );
    expect(rows.map((row) => row.raw)).toEqual(lines);
    const latin = Buffer.concat([
      Buffer.from(`${HEADER}\n`),
      Buffer.from('é,€'.replace('€', '\xA4'), 'latin1'),
    ]);
    const other = await bench.ingest(dataset, bench.source('raw2.csv', latin));
    const [row] = await bench.read<{ raw: string }>(
      bench.plan(other.quarantineSchema, other.quarantine, 'bronze'),
    );
    expect(row?.raw).toBe('\\xE9,\\xA4');
  });

  it('tells whose rows they are when many sources are read at once, and warns of unknown columns', async () => {
    const sources = Array.from({ length: 10_000 }, (_, index) =>
      index === 5000
        ? bench.sourceIn('many', 'odd.csv', `${HEADER},more\n2020-01-01,ODD,10,12,9,11,100,1\nbad\n`)
        : bench.sourceIn('many', `f${index}.csv`, `${HEADER}\n2020-01-01,S${index},10,12,9,11,100\n`),
    );
    const bronze = await bench.ingest(dataset, ...sources);
    expect(bronze.ledger).toEqual({ read: 10_001, accepted: 10_000, duplicate: 0, quarantined: 1 });
    expect(bronze.perSource[5000]).toMatchObject({ read: 2, accepted: 1, quarantined: 1 });
    expect(bronze.warnings).toEqual([expect.stringContaining('odd.csv: columns') as string]);
    const rows = await bench.read(
      bench.plan(bronze.schema, bronze.bronze),
      "WHERE symbol IN ('S0', 'S9999', 'ODD') ORDER BY symbol",
      "symbol, split(_source_file, '/')[-1] AS file",
    );
    expect(rows).toEqual([
      { symbol: 'ODD', file: 'odd.csv' },
      { symbol: 'S0', file: 'f0.csv' },
      { symbol: 'S9999', file: 'f9999.csv' },
    ]);
  });

  it('reads the same bytes under another name once', async () => {
    const text = `${HEADER}\n2020-01-01,A,10,12,9,11,100\n`;
    const bronze = await bench.ingest(dataset, bench.source('a.csv', text), bench.source('b.csv', text));
    expect(bronze.ledger.read).toBe(1);
    expect(bronze.perSource[1]).toMatchObject({ read: 0, sameAs: 'file:///in/a.csv' });
  });

  it('fails the attempt when a source changes between hashing and reading', async () => {
    const source = bench.source('a.csv', `${HEADER}\n2020-01-01,A,10,12,9,11,100\n`);
    appendFileSync(source.localPath, '2020-01-02,A,10,12,9,11,100\n');
    await expect(bench.ingest(dataset, source)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      // Not this step again, which would read the same listing: the flow lists anew.
      retry: false,
    });
  });

  it.each([
    ['drops rows', 'SELECT * FROM bronze.stocks WHERE open > 10', 'LEDGER_UNBALANCED'],
    ['multiplies rows', 'SELECT * FROM bronze.stocks, range(2)', 'LEDGER_UNBALANCED'],
    ['forgets columns', 'SELECT date, symbol FROM bronze.stocks', 'SILVER_COLUMNS_MISSING'],
    ['fails', 'SELECT *, 1 / nothing AS x FROM bronze.stocks', 'ENGINE_SQL_FAILED'],
    ['reads outside', "SELECT b.* FROM bronze.stocks b, read_text('/etc/passwd')", 'ENGINE_ACCESS_DENIED'],
    ['writes', "COPY bronze.stocks TO '/tmp/stolen.csv'", 'ENGINE_ACCESS_DENIED'],
    ['is two statements', 'SELECT * FROM bronze.stocks; DROP VIEW bronze.stocks', 'ENGINE_NOT_A_SELECT'],
  ])('stops when silver.sql %s', async (_what, sql, code) => {
    const bronze = await bench.ingest(
      dataset,
      bench.source('a.csv', `${HEADER}\n2020-01-01,A,10,12,9,11,100\n`),
    );
    const wrong = { ...dataset, silver: { ...dataset.silver, sql } };
    const attempt = refine({
      engine: bench.engine,
      dataset: wrong,
      bronze: bench.plan(bronze.schema, bronze.bronze),
      outputDirectory: bench.directory(),
      run: RUN,
    });
    await expect(attempt).rejects.toMatchObject({ code });
    expect(existsSync('/tmp/stolen.csv')).toBe(false);
  });

  it.each(BAD_INPUTS)('is documented: $name', ({ name, error, bronze = [], silver = [] }) => {
    const page = readFileSync(`${root}docs/reference/bad-input.md`, 'utf8');
    const row = page.split('\n').find((line) => line.startsWith(`| ${name} `));
    for (const code of [...(error ? [error] : []), ...[...bronze, ...silver].map(([rule]) => rule)]) {
      expect(row).toContain(`\`${code}\``);
    }
    expect(row).toBeDefined();
  });
});
