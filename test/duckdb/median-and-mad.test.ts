/** `median_and_mad` gives what the engine's own `median` and `mad` give, bit by bit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDBVector } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { medianInPlace, numbersOf } from '../../src/connectors/duckdb/median-and-mad.js';
import type { EngineSession } from '../../src/delta/ports.js';

describe('median_and_mad', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'datalab-median-'));
  const engine = createDuckDbEngine({ memoryLimit: '200MB', threads: 2, spillDirectory: folder });
  let session: EngineSession;
  beforeAll(async () => {
    session = await engine.open({ inputs: [], medians: true });
  });
  afterAll(async () => {
    await session.close();
    rmSync(folder, { recursive: true });
  });

  it('is the median and the median distance of any finite numbers', async () => {
    const few = fc.constantFrom(-1, -0, 0, 0.1, 0.1 + 0.2, 0.3, 1);
    const any = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e3 });
    const list = fc.oneof(
      fc.array(few, { minLength: 1, maxLength: 9 }),
      fc.array(any, { minLength: 1, maxLength: 90 }),
      fc.array(fc.oneof(few, any), { minLength: 1, maxLength: 600 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(list, { minLength: 1, maxLength: 40 }), async (lists) => {
        const values = lists
          .flatMap((numbers, id) => numbers.map((number) => `(${id}, ${number}::DOUBLE)`))
          .join(', ');
        const [differ] = await session.rows<{ lists: bigint; other: bigint }>(
          `SELECT count(*) AS lists, count(*) FILTER (m.center IS DISTINCT FROM center OR m.spread IS DISTINCT FROM spread) AS other
           FROM (
             SELECT median_and_mad(list(value)) AS m, median(value) AS center, mad(value) AS spread
             FROM (VALUES ${values}) t(id, value) GROUP BY id
           )`,
        );
        expect(differ).toEqual({ lists: BigInt(lists.length), other: 0n });
      }),
      { seed: 20261130, numRuns: 60 },
    );
  });

  it('takes lists by many threads, and more of them than one batch holds', async () => {
    const [sums] = await session.rows<Record<string, number>>(
      `SELECT sum((m.center <> center OR m.spread <> spread)::INTEGER)::INTEGER AS other, count(*)::INTEGER AS lists
       FROM (
         SELECT median_and_mad(list(v)) AS m, median(v) AS center, mad(v) AS spread
         FROM (SELECT i % 50000 AS id, sin(i * i)::DOUBLE AS v FROM range(500000) r(i)) GROUP BY id
       )`,
    );
    expect(sums).toEqual({ other: 0, lists: 50_000 });
  });

  it('has no figure for nothing', async () => {
    const rows = await session.rows<{ id: number; none: boolean }>(
      `SELECT id, isnan(m.center) AND isnan(m.spread) AS none FROM (
         SELECT id, median_and_mad(numbers) AS m
         FROM (VALUES (1, NULL), (2, []), (3, [1.0]), (4, NULL)) t(id, numbers)
       ) ORDER BY id`,
    );
    expect(rows.map(({ none }) => none)).toEqual([true, true, false, true]);
  });

  it('is not there where a session did not ask for it', async () => {
    const plain = await engine.open({ inputs: [] });
    await expect(plain.rows('SELECT median_and_mad([1.0])')).rejects.toMatchObject({
      code: 'ENGINE_SQL_FAILED',
    });
    await plain.close();
  });

  it('reads a vector that does not show its memory number by number', () => {
    const hidden = { itemCount: 3, getItem: (index: number) => [1.5, null, -2][index] };
    expect(numbersOf(hidden as unknown as DuckDBVector)).toEqual(Float64Array.of(1.5, NaN, -2));
    const shown = { ...hidden, items: Float64Array.of(1, 2) };
    expect(numbersOf(shown as unknown as DuckDBVector)).toBe(shown.items);
  });

  it('puts what is less before the median, and what is more after it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 }),
        (numbers) => {
          const sorted = Float64Array.from(numbers).sort();
          const found = medianInPlace(Float64Array.from(numbers), numbers.length);
          const at = (index: number): number => sorted[index] ?? NaN;
          const half = numbers.length / 2;
          const middle = numbers.length % 2 === 1 ? at(half - 0.5) : at(half - 1) * 0.5 + at(half) * 0.5;
          expect(found === middle).toBe(true);
        },
      ),
      { seed: 20261130, numRuns: 500 },
    );
  });
});
