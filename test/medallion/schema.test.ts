import { describe, expect, it } from 'vitest';
import type { ColumnDefinition, ColumnType } from '../../src/contracts/dataset.js';
import { balanced } from '../../src/medallion/ledger.js';
import { deltaType, schemaOf } from '../../src/medallion/schema.js';
import { typedColumn } from '../../src/medallion/typed.js';
import { Workbench } from './workbench.js';

describe('deltaType', () => {
  it.each([
    ['BIGINT', 'long'],
    ['TIMESTAMP WITH TIME ZONE', 'timestamp'],
    ['TIMESTAMP', 'timestamp_ntz'],
    ['DECIMAL(18,3)', 'decimal(18,3)'],
    ['DATE[]', { type: 'array', elementType: 'date', containsNull: true }],
    [
      'MAP(VARCHAR, DOUBLE)',
      { type: 'map', keyType: 'string', valueType: 'double', valueContainsNull: true },
    ],
  ])('%s', (engineType, expected) => expect(deltaType(engineType)).toEqual(expected));

  it('reads what the engine says of nested columns', async () => {
    const bench = new Workbench();
    const session = await bench.engine.open({ inputs: [] });
    const columns = await session.describe(
      `SELECT [{'a, "b': 1, 'c': MAP {'k': 1.5::DECIMAL(9,2)}}] AS l, {'d': {'e': [TIMESTAMP '2020-01-01']}} AS s`,
    );
    await session.close();
    bench.close();
    const field = (name: string, type: unknown) => ({ name, type, nullable: true, metadata: {} });
    const struct = (...fields: unknown[]) => ({ type: 'struct', fields });
    const list = (elementType: unknown) => ({ type: 'array', elementType, containsNull: true });
    const map = { type: 'map', keyType: 'string', valueType: 'decimal(9,2)', valueContainsNull: true };
    expect(schemaOf(columns)).toEqual(
      struct(
        field('l', list(struct(field('a, "b', 'integer'), field('c', map)))),
        field('s', struct(field('d', struct(field('e', list('timestamp_ntz')))))),
      ),
    );
  });

  it.each(['HUGEINT', 'UUID', 'STRUCT("a" UBIGINT)'])('refuses %s', (engineType) => {
    expect(() => deltaType(engineType)).toThrow(
      expect.objectContaining({ code: 'ENGINE_TYPE_UNSUPPORTED' }) as Error,
    );
  });
});

describe('typedColumn', () => {
  const cases: ReadonlyArray<readonly [ColumnType | 'zoned', string, unknown]> = [
    ['long', '-7', -7n],
    ['long', ' 7 ', 7n],
    ['long', '7.0', undefined],
    ['integer', '2147483648', undefined],
    ['double', '.5e1', 5],
    ['double', '1_0', undefined],
    ['boolean', 'TRUE', true],
    ['boolean', 'yes', undefined],
    ['date', ' 2024-02-29 ', '2024-02-29'],
    ['date', '2024-2-29', '2024-02-29'],
    ['date', '-infinity', undefined],
    ['decimal(9,2)', '1.500', '1.50'],
    ['decimal(9,2)', '1.501', undefined],
    ['decimal(9,2)', '12345678.00', undefined],
    ['decimal(9,0)', '12.0', '12'],
    ['timestamp', '2024-01-01T00:00:00+02:00', '2023-12-31T22:00:00.000Z'],
    ['timestamp', '2024-01-01 00:00:00.5Z', '2024-01-01T00:00:00.500Z'],
    ['timestamp', '2024-01-01 00:00Z', undefined],
    ['timestamp', '2024-01-01 00:00:00', undefined],
    ['timestamp', 'infinity', undefined],
    ['zoned', '2024-01-01 00:00:00', '2024-01-01T03:00:00.000Z'],
    ['zoned', '2024-01-01 00:00:00Z', '2024-01-01T00:00:00.000Z'],
    ['zoned', 'epoch', undefined],
  ];
  it('takes a text for what it says, or not at all', async () => {
    const bench = new Workbench();
    const session = await bench.engine.open({ inputs: [] });
    for (const [type, text, expected] of cases) {
      const column: ColumnDefinition =
        type === 'zoned'
          ? { name: 'c', type: 'timestamp', required: true, zone: 'America/Sao_Paulo' }
          : { name: 'c', type, required: true };
      const sql = typedColumn(column, 't.c');
      const [row] = await session.rows<{ ok: boolean; value: unknown; empty: boolean }>(
        `SELECT ${sql.ok} AS ok, ${sql.value} AS value, (SELECT ${sql.ok} FROM (SELECT NULL::VARCHAR AS c) t) AS empty
           FROM (SELECT '${text}' AS c) t`,
      );
      expect(row?.ok, `${type} ${text}`).toBe(expected !== undefined);
      if (expected !== undefined) expect(row?.value, `${type} ${text}`).toEqual(expected);
      expect(row?.empty, `${type} NULL`).toBe(true);
    }
    await session.close();
    bench.close();
  });
});

describe('balanced', () => {
  it('lets a ledger through only when every row has one outcome', () => {
    const ledger = { read: 6, accepted: 3, duplicate: 2, quarantined: 1 };
    expect(balanced('t', ledger)).toBe(ledger);
    for (const wrong of [
      { read: 7 },
      { accepted: 2 },
      { read: 5, quarantined: 0.5 },
      { read: 0, accepted: -3 },
    ]) {
      expect(() => balanced('silver.t', { ...ledger, ...wrong })).toThrow(
        expect.objectContaining({ code: 'LEDGER_UNBALANCED' }) as Error,
      );
    }
  });
});
