/** Counting what comes again: the cheap proof that nothing does must never say so wrongly, and must be taken where it can. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { DuplicatesCheck } from '../../src/contracts/quality.js';
import type { EngineSession } from '../../src/delta/ports.js';
import { repetitions } from '../../src/quality/repetition.js';
import { Workbench } from '../medallion/workbench.js';

const bench = new Workbench();
let session: EngineSession;
beforeAll(async () => {
  session = await bench.engine.open({ inputs: [] });
});
afterAll(async () => {
  await session.close();
  bench.close();
});

/** The session, with the statements that it was asked. */
function watched(): { queries: { rows: EngineSession['rows'] }; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    queries: {
      rows: (sql) => {
        asked.push(sql);
        return session.rows(sql);
      },
    },
  };
}

const hashed = (asked: readonly string[]): boolean => asked.some((sql) => sql.includes('surplus'));

async function count(columns: string[], relation: string): Promise<{ surplus: number; hashed: boolean }> {
  const check = { name: 'again', kind: 'duplicates', columns } as unknown as DuplicatesCheck;
  const { queries, asked } = watched();
  const { surplus } = await repetitions(queries, check, relation);
  return { surplus, hashed: hashed(asked) };
}

describe('repetitions', () => {
  it('agrees with a plain count, whatever the values', async () => {
    const value = fc.oneof(fc.constant(null), fc.integer({ min: -3, max: 3 }), fc.constant(5_000_000_000));
    const day = fc.constantFrom(null, '2024-01-01', '2024-01-02', '1969-12-31', 'infinity', '-infinity');
    const rows = fc.array(fc.tuple(fc.constantFrom('a', 'b', null), value, day), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.subarray(['s', 'n', 'd'], { minLength: 1 }), async (given, columns) => {
        const tuples = given.map(
          ([s, n, d]) =>
            `(${s === null ? 'NULL' : `'${s}'`}, ${n ?? 'NULL'}, ${d === null ? 'NULL' : `DATE '${d}'`})`,
        );
        await session.run(
          `CREATE OR REPLACE TABLE r (s VARCHAR, n BIGINT, d DATE)${tuples.length > 0 ? `; INSERT INTO r VALUES ${tuples.join(', ')}` : ''}`,
        );
        const places = columns.map((column) => ['s', 'n', 'd'].indexOf(column));
        const distinct = new Set(given.map((row) => JSON.stringify(places.map((place) => row[place]))));
        expect((await count(columns, 'r')).surplus).toBe(given.length - distinct.size);
      }),
      { seed: 20261129, numRuns: 150 },
    );
  });

  it('proves by bits that nothing comes twice, for a date or a number beside other columns', async () => {
    await session.run(
      `CREATE OR REPLACE TABLE p AS SELECT 'S' || (i % 7) AS s, DATE '2000-01-01' + (i // 7)::INTEGER AS d, i FROM range(7000) t(i)`,
    );
    expect(await count(['s', 'd'], 'p')).toEqual({ surplus: 0, hashed: false });
    expect(await count(['i'], 'p')).toEqual({ surplus: 0, hashed: false });
    await session.run(`INSERT INTO p SELECT * FROM p LIMIT 1`);
    expect(await count(['s', 'd'], 'p')).toEqual({ surplus: 1, hashed: true });
  });

  it('falls back to hashes where bits would take more memory than they save, or no column has a number', async () => {
    await session.run(
      `CREATE OR REPLACE TABLE w AS SELECT i * 100000000000 AS far, i::VARCHAR AS s FROM range(1000) t(i)`,
    );
    expect(await count(['far'], 'w')).toEqual({ surplus: 0, hashed: true });
    expect(await count(['s'], 'w')).toEqual({ surplus: 0, hashed: true });
  });
});
