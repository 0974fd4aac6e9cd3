/** Random dirty files against a plain model of what must become of every line. The seed is printed. */
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { loadDataset } from '../../src/config/datasets.js';
import { HEADER } from './bad-input.cases.js';
import { Workbench } from './workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

type Fate = 'silver' | 'bronze quarantine' | 'silver quarantine' | 'nothing';

/** Kinds of lines: how they are written for a symbol and day, and what must become of them. */
const KINDS: ReadonlyArray<readonly [fate: Fate, write: (symbol: string, date: string) => string]> = [
  ['silver', (symbol, date) => `${date},${symbol},10,12,9,11,100`],
  ['silver', (symbol, date) => `${date},"${symbol}",10,12,9,11,100`],
  ['silver', (symbol, date) => `"${date}", ${symbol.toLowerCase()} ,1e1,12.0,9,11,+100,`],
  ['silver', (symbol, date) => `${date},"${symbol}\n",10,12,9,11,100`],
  ['silver', (symbol, date) => `${date},"${symbol}\r\n\n",10,12,9,11,100`],
  ['nothing', () => ''],
  ['bronze quarantine', (symbol, date) => `${date},${symbol},x,12,9,11,100`],
  ['bronze quarantine', (symbol, date) => `${date},${symbol},10,12,9,11,1.5`],
  ['bronze quarantine', (symbol) => `infinity,${symbol},10,12,9,11,100`],
  ['bronze quarantine', (symbol, date) => `${date},${symbol},10,12,9`],
  ['bronze quarantine', (symbol, date) => `${date},"${symbol}\n",10`],
  ['bronze quarantine', (symbol, date) => `${date},${symbol},10,12,9,11,100,7`],
  ['bronze quarantine', (symbol, date) => `${date},"${symbol}"x,10,12,9,11,100`],
  ['silver quarantine', (symbol) => `,${symbol},10,12,9,11,100`],
  ['silver quarantine', (_symbol, date) => `${date},,10,12,9,11,100`],
  ['silver quarantine', (symbol, date) => `${date},${symbol},nan,12,9,11,100`],
  ['silver quarantine', (symbol, date) => `${date},${symbol},10,9,12,11,100`],
];

const line = fc.record({
  kind: fc.nat(KINDS.length - 1),
  symbol: fc.constantFrom('A', 'B', 'Ç', 'ÄÖ'),
  day: fc.integer({ min: 1, max: 9 }),
  end: fc.constantFrom('\n', '\r\n'),
});
const file = fc.record({
  lines: fc.array(line, { maxLength: 40 }),
  bom: fc.boolean(),
  zipped: fc.boolean(),
});

it('gives every line one fate, the one that it must have', async () => {
  const dataset = await loadDataset(new URL('../../datasets', import.meta.url).pathname, 'stocks');
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 7);
  console.info(`seed ${seed}`);
  const property = fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 3 }), async (files) => {
    const fates: Record<Fate, number> = {
      silver: 0,
      'bronze quarantine': 0,
      'silver quarantine': 0,
      nothing: 0,
    };
    /** The newest line per key: by file name, then by line. */
    const newest = new Map<string, string>();
    const seen = new Set<string>();
    const sources = files.flatMap(({ lines, bom, zipped }, index) => {
      const name = `f${index}.csv`;
      let text = `${bom ? '\uFEFF' : ''}${HEADER}\n`;
      const kept: Array<readonly [key: string, at: string]> = [];
      const counts = { ...fates };
      for (const { kind, symbol, day, end } of lines) {
        const [fate, write] = KINDS[kind] as (typeof KINDS)[number];
        const date = `2020-01-0${day}`;
        counts[fate]++;
        const written = write(symbol, date);
        // trim() of the engine takes spaces only: a symbol with a line end in it is another symbol.
        const own = written.includes('\n')
          ? `${symbol}${/"[^"]*?(\r?\n+)"/.exec(written)?.[1] ?? ''}`
          : symbol;
        if (fate === 'silver') kept.push([`${own} ${date}`, `${name}:${text.split('\n').length}`]);
        text += written + end;
      }
      const bytes = zipped ? gzipSync(text) : Buffer.from(text);
      const source = bench.source(name, bytes);
      if (seen.has(source.sourceId)) return [source];
      seen.add(source.sourceId);
      Object.assign(fates, counts);
      for (const [key, at] of kept) newest.set(key, at);
      return [source];
    });

    const bronze = await bench.ingest(dataset, ...sources);
    const accepted = fates.silver + fates['silver quarantine'];
    expect(bronze.ledger).toEqual({
      read: accepted + fates['bronze quarantine'],
      accepted,
      duplicate: 0,
      quarantined: fates['bronze quarantine'],
    });
    const silver = await bench.refine(dataset, bronze);
    expect(silver.ledger).toEqual({
      read: accepted,
      accepted: newest.size,
      duplicate: fates.silver - newest.size,
      quarantined: fates['silver quarantine'],
    });
    const rows = await bench.read<{ key: string; at: string }>(
      bench.plan(silver.schema, silver.silver),
      '',
      "symbol || ' ' || date AS key, split(_source_file, '/')[-1] || ':' || _source_line AS at",
    );
    expect(new Map(rows.map(({ key, at }) => [key, at]))).toEqual(newest);
  });
  await fc.assert(property, { seed, numRuns: 40 });
});
