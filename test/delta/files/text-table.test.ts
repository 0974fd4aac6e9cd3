/** What the engine writes as text is read as it was: signs of the format within values, NULLs, rows over the end of a block. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eachRow, ENGINE_TEXT } from '../../../src/delta/files/text-table.js';
import { deltaLab } from '../../support/delta-lab.js';
import { seedOf } from '../../support/seed.js';

const lab = deltaLab();
const quoted = (text: string | null): string => (text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`);

async function written(select: string, unordered = false): Promise<string> {
  const session = await lab.engine.open({ inputs: [], outputDirectory: lab.folder, unordered });
  const name = randomUUID();
  try {
    await session.writeText(select, name, ENGINE_TEXT);
  } finally {
    await session.close();
  }
  return join(lab.folder, name);
}

const text = fc
  .array(fc.constantFrom('a', '#', '"', ',', '\\', '\n', '\r', '\u001e', '\u001f', 'ü', '😀', ' ', 'NULL'), {
    maxLength: 5,
  })
  .map((parts) => parts.join(''));
const row = fc.tuple(
  fc.option(text),
  fc.option(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n })),
  fc.option(text),
);

test('every value comes back, and NULL is told from an empty text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
      const values = rows.map(([a, n, b], i) => `(${i}, ${quoted(a)}, ${n ?? 'NULL'}::BIGINT, ${quoted(b)})`);
      const path = await written(
        `SELECT a, n, b FROM (VALUES ${values.join(', ')}) t(i, a, n, b) ORDER BY i`,
      );
      const found: unknown[] = [];
      await eachRow(path, 3, (each) => {
        const value = (field: number): string | null => (each.isNull(field) ? null : each.text(field));
        found.push([value(0), each.isNull(1) ? null : BigInt(each.number(1)), value(2)]);
        for (const field of [0, 2])
          if (each.isPlain(field) && !each.isNull(field))
            expect(each.block.toString('utf8', each.start(field), each.end(field))).toBe(each.text(field));
      });
      expect(found).toEqual(rows);
    }),
    { seed: seedOf(37), numRuns: 60 },
  );
});

test('rows that lie over the ends of blocks are whole, and so is one that is longer than several', async () => {
  const path = await written(
    `SELECT i, repeat(chr(97 + (i % 26)::INTEGER), CASE WHEN i = 7 THEN 20000000 ELSE (i * 7919) % 3000 END::INTEGER) AS t
    FROM range(20000) r(i) ORDER BY i`,
  );
  let next = 0;
  let bytes = 0;
  await eachRow(path, 2, (each) => {
    expect(each.number(0)).toBe(next);
    const length = next === 7 ? 20_000_000 : (next * 7919) % 3000;
    if (each.text(1) !== String.fromCharCode(97 + (next % 26)).repeat(length))
      expect.fail(`row ${next} is another`);
    next += 1;
    bytes += length;
  });
  expect(next).toBe(20_000);
  expect(bytes).toBeGreaterThan(40_000_000);
});

test('no rows are no rows', async () => {
  const path = await written('SELECT 1 AS a WHERE false');
  await eachRow(path, 1, () => expect.fail('there is none'));
});
