/**
 * What becomes of a row does not depend on the rows around it. The engine reads a part that holds nothing strange in a
 * cheaper way than one that does (src/medallion/parse.ts), so every row is read once among its likes, and once beside a row
 * that makes the closer look necessary.
 */
import { afterAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { plainDataset, Workbench } from './workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

const dataset = plainDataset(`
name: d
source: { location: in/*.csv, format: csv }
columns:
  - { name: day, type: date }
  - { name: price, type: double }
  - { name: size, type: long }
  - { name: name, type: string }
key: [day]
silver: { sql: silver.sql }
`);

const day = fc.constantFrom(
  ...[
    '2020-01-02',
    '2020-1-2',
    ' 2020-01-02',
    '1900-01-01',
    '1970-01-01',
    '999-01-01',
    '20-01-02',
    '9999-12-31',
  ],
  ...[
    'infinity',
    '-infinity',
    'epoch',
    'EPOCH',
    '2020-01-02x',
    '2020-01-02 10:00:00',
    '2020/01/02',
    '-2020-01-02',
  ],
  ...[
    '12020-01-02',
    '2020-02-30',
    '2020-01-02 (BC)',
    '02020-01-02',
    '',
    '""',
    '"2020-01-02"',
    'null',
    '2020-01',
  ],
);
const price = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.constantFrom(
    '',
    '1',
    ' 1.5 ',
    '1e3',
    '1E400',
    'nan',
    'NaN',
    'inf',
    '-Infinity',
    '1_0',
    '0x1',
    'x',
    '1.',
    '.5',
    '+1',
    '1,5',
  ),
  fc.constantFrom('"1.5"', '""', '--1', '1 2', '1f', '١'),
);
const size = fc.constantFrom(
  '1',
  '',
  '+007',
  '-3',
  '1.5',
  '1e3',
  '9223372036854775808',
  '9007199254740993',
  ' 4 ',
);
const row = fc
  .tuple(day, price, size, fc.constantFrom('a', 'A_b', '', '"x, y"'))
  .map((fields) => fields.join(','));

/** A price that no reader takes: the part needs a closer look. */
const POISON = '2020-01-02,poison,1,a';

/** `day|price|size|name` or the rule that refused it, by line. */
async function outcomes(lines: readonly string[]): Promise<Map<number, string>> {
  const source = bench.source('in.csv', ['day,price,size,name', ...lines, ''].join('\n'));
  const { bronze, schema, quarantine, quarantineSchema } = await bench.ingest(dataset, source);
  const accepted =
    bronze.length === 0
      ? []
      : await bench.read<{ line: number; text: string }>(
          bench.plan(schema, bronze),
          '',
          `_source_line::INTEGER AS line, concat_ws('|', coalesce(day::VARCHAR, '-'), coalesce(price::VARCHAR, '-'), coalesce(size::VARCHAR, '-'), coalesce(name, '-')) AS text`,
        );
  const refused =
    quarantine.length === 0
      ? []
      : await bench.read<{ line: number; text: string }>(
          bench.plan(quarantineSchema, quarantine, 'bronze'),
          '',
          `_source_line::INTEGER AS line, rule || ': ' || reason AS text`,
        );
  return new Map([...accepted, ...refused].map(({ line, text }) => [line, text]));
}

describe('a row', () => {
  it('has one outcome, whatever stands beside it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async (rows) => {
        const together = await outcomes(rows);
        const poisoned = await outcomes([...rows, POISON]);
        expect(poisoned.get(rows.length + 2)).toMatch(/^bad_value/);
        for (const [index, text] of rows.entries()) {
          const alone = await outcomes([text]);
          expect(together.get(index + 2), text).toBe(alone.get(2));
          expect(poisoned.get(index + 2), text).toBe(alone.get(2));
        }
      }),
      { seed: 20261129, numRuns: 20 },
    );
  });
});
