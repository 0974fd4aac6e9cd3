/** Data skipping against the engine itself: a file that is skipped must hold no row that the condition is TRUE for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCondition } from '../../src/delta/expression/parse.js';
import { prune } from '../../src/delta/prune.js';
import type { AddFile, DataRow, Snapshot } from '../../src/delta/index.js';
import { deltaLab } from '../support/delta-lab.js';
import { fakeAdd, liveFiles, struct } from '../support/table.js';
import { seedOf } from '../support/seed.js';

const lab = deltaLab();

test.each([
  ['a = 1', 'a=1'],
  ['1 < a', 'a>1'],
  ["\"A b\" >= 'x''y'", "A b>=x'y"],
  ['(a = 1) AND (b = 2 OR NOT c IS NULL)', '(a=1 and (b=2 or not(c null)))'],
  ['a BETWEEN 1 AND 2 AND b = 3', '((a>=1 and a<=2) and b=3)'],
  ['a NOT IN (1, -2.5)', 'not((a=1 or a=-2.5))'],
  ['NOT a = 1 OR b', '(not(a=1) or b=true)'],
  ["d = DATE '2024-01-01' AND f(x) = 1", '(d=2024-01-01 and ?)'],
  ['CASE WHEN a = 1 OR b = 2 THEN c END AND d = 1', '(? and d=1)'],
  ["a >= unhex('00fF')", 'a>=00fF'],
  ["a = unhex('0') OR a = unhex(b) OR a = unhex('00', 1)", '(? or ? or ?)'],
  ["a IN ('x', unhex('00'))", '?'],
  ['a = 1 + 2', '?'],
  // One double makes the whole comparison one of doubles.
  ['a BETWEEN 5e0 AND 9007199254740992', '?'],
  ['a IN (1, 2e0)', '?'],
  ['a IN (1e0, 2e0)', '(a=1e0 or a=2e0)'],
  ["a = 'x' -- OR b", '?'],
  ["a = E'x'", '?'],
  ["a = 'x\\'", '?'],
  ['a = ANY([1])', '?'],
  ['t.a = s.b', 't.a=s.b'],
  ['a IS NOT DISTINCT FROM 1', '?'],
  ['', '?'],
  [')a = 1(', '?'],
])('%s reads as %s', (text, wanted) => {
  expect(show(parseCondition(text))).toBe(wanted);
});

function show(condition: ReturnType<typeof parseCondition>): string {
  const name = ({ table, column }: { table?: string; column: string }): string =>
    table ? `${table}.${column}` : column;
  switch (condition.kind) {
    case 'and':
    case 'or':
      return `(${condition.parts.map(show).join(` ${condition.kind} `)})`;
    case 'not':
      return `not(${show(condition.part)})`;
    case 'compare':
      return `${name(condition.column)}${condition.op}${condition.value.text}`;
    case 'columns':
      return `${name(condition.left)}${condition.op}${name(condition.right)}`;
    case 'isNull':
      return `${name(condition.column)} null`;
    case 'constant':
      return String(condition.value);
    case 'unknown':
      return '?';
  }
}

const SCHEMA = struct({
  n: 'long',
  i: 'integer',
  m: 'decimal(20,2)',
  x: 'double',
  f: 'float',
  s: 'string',
  d: 'date',
  ts: 'timestamp',
  ok: 'boolean',
  p: 'string',
  b: 'binary',
});
const VALUES: Readonly<Record<string, ReadonlyArray<string | number | boolean | Uint8Array>>> = {
  n: ['9007199254740993', '9007199254740992', '-1', '0', '5'],
  i: [-7, 0, 3],
  m: ['0.10', '123456789012345678.75', '123456789012345678.76', '-2.00'],
  x: [0.1, -0, 1e300, Number.NaN, Number.POSITIVE_INFINITY],
  f: [0.1, 16777217, -3],
  s: ['', 'a', 'ä', '😀', '\uffff', `${'a'.repeat(40)}z`, `${'a'.repeat(40)}b`],
  d: ['1969-12-31', '2024-02-29'],
  ts: ['2024-02-29T23:59:59.999999Z', '2024-02-29T23:59:59.999Z', '1960-01-01T00:00:00.000001Z'],
  ok: [true, false],
  p: ['one', 'two'],
  b: ['a', 'ab', '\0', '~', 'é'].map((text) => Buffer.from(text)),
};
const LITERALS: Readonly<Record<string, readonly string[]>> = {
  n: ['9007199254740992', '9007199254740993', '-1', '0.5', '5e0'],
  i: ['3', '-7', '2.5'],
  m: ['0.1', '123456789012345678.75', '-2', '0.10'],
  x: ['0.1', '0', '1e300', '-1', `'NaN'::DOUBLE`],
  f: ['0.1', '16777217', '-3', '0.1::FLOAT'],
  s: [`'a'`, `'ä'`, `''`, `'😀'`, `'${'a'.repeat(40)}c'`],
  d: [`'1969-12-31'`, `DATE '2024-02-29'`, `'2024-2-29'`],
  ts: [`'2024-02-29 23:59:59.999999+00'`, `TIMESTAMPTZ '2024-02-29 23:59:59.9995+00'`, `'2024-02-29'`],
  ok: ['true', 'false'],
  p: [`'one'`, `'two'`, `'three'`],
  b: [`'a'`, `'~'`, `''`, `unhex('c3A9')`, `unhex('ff')`, `unhex('6')`, `'\\xC3'`],
};
const columns = SCHEMA.fields.map(({ name }) => name);
const column = fc.constantFrom(...columns);
const atom = column.chain((name) => {
  const literal = fc.constantFrom(...(LITERALS[name] ?? []));
  return fc.oneof(
    fc
      .tuple(fc.constantFrom('=', '<>', '<', '<=', '>', '>='), literal)
      .map(([op, value]) => `${name} ${op} ${value}`),
    fc.tuple(fc.constantFrom('<', '>=', '='), literal).map(([op, value]) => `${value} ${op} ${name}`),
    fc.tuple(literal, literal).map(([a, b]) => `${name} BETWEEN ${a} AND ${b}`),
    fc
      .tuple(fc.constantFrom('IN', 'NOT IN'), fc.array(literal, { minLength: 1, maxLength: 3 }))
      .map(([word, list]) => `${name} ${word} (${list.join(', ')})`),
    fc.constantFrom(`${name} IS NULL`, `${name} IS NOT NULL`, `length(${name}::VARCHAR) > 2`),
  );
});
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc
      .tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition'))
      .map(([a, word, b]) => `(${a}) ${word} (${b})`),
    tie('condition').map((part) => `NOT (${part})`),
  ),
}));
const row: fc.Arbitrary<DataRow> = fc.record(
  Object.fromEntries(
    columns.map((name) => [name, fc.option(fc.constantFrom(...(VALUES[name] ?? [])), { freq: 5 })]),
  ),
);

describe('what is skipped', () => {
  test('holds no row that the condition is TRUE for, and what is taken whole no other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(row, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        fc.array(condition, { minLength: 1, maxLength: 12 }),
        async (files, conditions) => {
          const table = lab.table();
          await table.create(SCHEMA, { partitionBy: ['p', 'b'] });
          for (const rows of files) await table.append({ rows, schema: SCHEMA });
          const snapshot = await table.snapshot();
          for (const text of conditions) {
            const { whole, some } = await prune(snapshot, text);
            const without = (files: readonly AddFile[]): Snapshot =>
              ({
                ...facts(snapshot),
                files: liveFiles(snapshot.files.filter((file) => !files.includes(file))),
              }) as unknown as Snapshot;
            const skipped = without([...whole, ...some]);
            const certain = without(snapshot.files.filter((file) => !whole.includes(file)));
            expect(await count(table, skipped, `(${text}) IS TRUE`), `skipped by ${text}`).toBe(0);
            expect(await count(table, certain, `(${text}) IS NOT TRUE`), `taken whole by ${text}`).toBe(0);
          }
        },
      ),
      { seed: seedOf(23), numRuns: 25 },
    );
  });

  function facts({ version, protocol, metadata, schema, partitionColumns }: Snapshot): object {
    return { version, protocol, metadata, schema, partitionColumns };
  }

  async function count(table: ReturnType<typeof lab.table>, at: Snapshot, where: string): Promise<number> {
    if (at.files.length === 0) return 0;
    return Number(
      (await lab.query(table, (from) => `SELECT count(*) AS n FROM ${from} WHERE ${where}`, at))[0]?.['n'],
    );
  }

  const skips = async (stats: string | undefined, where: string): Promise<boolean> => {
    const table = lab.table();
    await table.create(SCHEMA, {});
    const snapshot = await table.snapshot();
    const add = fakeAdd('f');
    const { stats: _, ...bare } = add;
    const file = stats === undefined ? bare : { ...add, stats };
    const { whole, some } = await prune(
      { ...facts(snapshot), files: liveFiles([file]) } as unknown as Snapshot,
      where,
    );
    return whole.length + some.length === 0;
  };

  test.each([
    ['{"numRecords":1,"minValues":{"n":5},"maxValues":{"n":9},"nullCount":{"n":0}}', 'n = 4', true],
    ['{"numRecords":1,"minValues":{"n":5}}', 'n = 4', true],
    ['{"numRecords":1,"minValues":{"n":5}}', 'n = 10', false],
    ['{"numRecords":2,"nullCount":{"n":2}}', 'n = 4', true],
    ['{"numRecords":2,"nullCount":{"n":0}}', 'n IS NULL', true],
    ['{"numRecords":2}', 'n IS NULL', false],
    ['{}', 'n = 4', false],
    ['no json', 'n = 4', false],
    ['null', 'n = 4', false],
    [undefined, 'n = 4', false],
    ['{"numRecords":1,"minValues":{"n":"odd"},"maxValues":{"n":{}}}', 'n = 4', false],
    // Others round the times down, and leave NaN out of the greatest value.
    [
      '{"numRecords":1,"maxValues":{"ts":"2024-01-01T00:00:00.123Z"}}',
      `ts >= '2024-01-01 00:00:00.123999+00'`,
      false,
    ],
    [
      '{"numRecords":1,"maxValues":{"ts":"2024-01-01T00:00:00.123Z"}}',
      `ts >= '2024-01-01 00:00:00.124+00'`,
      true,
    ],
    ['{"numRecords":1,"maxValues":{"x":3.0}}', 'x > 5', false],
    ['{"numRecords":1,"maxValues":{"x":3.0}}', 'x = 5', true],
    ['{"numRecords":1,"maxValues":{"f":3.0}}', 'f = 5', false],
    // Decimals with an exponent keep their digits.
    ['{"numRecords":1,"maxValues":{"m":1.2345678901234567875E17}}', 'm > 123456789012345678.74', false],
    ['{"numRecords":1,"maxValues":{"m":1.2345678901234567875E17}}', 'm > 123456789012345678.75', true],
  ])('statistics %s skip for %s: %s', async (stats, where, wanted) => {
    expect(await skips(stats, where)).toBe(wanted);
  });
});
