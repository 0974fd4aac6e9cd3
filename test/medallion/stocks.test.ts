/** The stocks dataset on its real sample, held against plain arithmetic over the same CSV. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadDataset } from '../../src/config/datasets.js';
import type { DatasetDefinition } from '../../src/contracts/dataset.js';
import type { ScanPlan } from '../../src/delta/ports.js';
import { aggregate } from '../../src/medallion/aggregate.js';
import { refine, type Refined } from '../../src/medallion/refine.js';
import { RUN, Workbench } from './workbench.js';

interface Price {
  readonly date: string;
  readonly symbol: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

const root = new URL('../../', import.meta.url).pathname;
const sample = `${root}data/samples/stocks.csv.gz`;
const bench = new Workbench();
let dataset: DatasetDefinition;
let refined: Refined;
let silver: ScanPlan;

const prices: Price[] = gunzipSync(readFileSync(sample))
  .toString()
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [date = '', symbol = '', ...numbers] = line.split(',');
    const [open, high, low, close, volume] = numbers.map(Number) as [number, number, number, number, number];
    return { date, symbol, open, high, low, close, volume };
  });

function groups<Key>(keyOf: (price: Price) => Key): Map<Key, Price[]> {
  const found = new Map<Key, Price[]>();
  for (const price of prices) found.set(keyOf(price), [...(found.get(keyOf(price)) ?? []), price]);
  return found;
}
const bySymbol = new Map(
  [...groups((price) => price.symbol)].map(([symbol, list]) => [
    symbol,
    list.sort((a, b) => (a.date < b.date ? -1 : 1)),
  ]),
);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: number[]): number => sum(values) / values.length;
function stddev(values: number[]): number {
  const center = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - center) ** 2)) / (values.length - 1));
}
function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

async function gold<Row extends object>(table: string): Promise<Row[]> {
  const definition = dataset.gold.find((candidate) => candidate.table === table);
  if (!definition) throw new Error(`no ${table}`);
  const result = await aggregate({
    engine: bench.engine,
    dataset,
    gold: definition,
    silver,
    outputDirectory: bench.directory(),
  });
  return bench.read<Row>(bench.plan(result.schema, result.gold));
}

function close(actual: number | null | undefined, expected: number | null, what: string): void {
  if (expected === null) return void expect(actual, what).toBeNull();
  const scale = Math.max(1e-9, Math.abs(expected));
  expect(Math.abs((actual ?? NaN) - expected) / scale, `${what}: ${actual} for ${expected}`).toBeLessThan(
    1e-9,
  );
}

beforeAll(async () => {
  dataset = await loadDataset(`${root}datasets`, 'stocks');
  const bronze = await bench.ingest(dataset, bench.sourceAt(sample));
  expect(bronze.ledger).toEqual({ read: 12154, accepted: 12154, duplicate: 0, quarantined: 0 });
  refined = await refine({
    engine: bench.engine,
    dataset,
    bronze: bench.plan(bronze.schema, bronze.bronze),
    outputDirectory: bench.directory(),
    run: RUN,
  });
  silver = bench.plan(refined.schema, refined.silver);
});
afterAll(() => bench.close());

it('keeps every price of the sample in Silver, once and unchanged', async () => {
  expect(refined.ledger).toEqual({ read: 12154, accepted: 12154, duplicate: 0, quarantined: 0 });
  const rows = await bench.read<Price>(
    silver,
    'ORDER BY symbol, date',
    'date, symbol, open, high, low, close, volume::DOUBLE AS volume',
  );
  const expected = [...bySymbol].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, list]) => list);
  expect(rows).toEqual(expected);
});

it('flags moves that stand out from the three closed months before, and keeps them', async () => {
  const expected = [...bySymbol].flatMap(([symbol, list]) => {
    const returns = list.map((price, index) => {
      const before = list[index - 1];
      const [year = 0, month = 0] = price.date.split('-').map(Number);
      return {
        date: price.date,
        month: year * 12 + month,
        value: before && Math.log(price.close / before.close),
      };
    });
    return returns.flatMap(({ date, month, value }) => {
      const reference = returns.flatMap((other) =>
        other.value !== undefined && other.month < month && other.month >= month - 3 ? [other.value] : [],
      );
      if (value === undefined || reference.length < 20) return [];
      const center = median(reference);
      const spread = median(reference.map((other) => Math.abs(other - center)));
      const score = (value - center) / (1.4826 * spread);
      return Math.abs(score) >= 8 ? [{ symbol, date, score }] : [];
    });
  });
  const flagged = await bench.read<{ symbol: string; date: string; score: number }>(
    silver,
    'WHERE is_outlier',
    'symbol, date, outlier_score AS score',
  );
  expect(flagged.map(({ symbol, date }) => `${symbol} ${date}`).sort()).toEqual(
    expected.map(({ symbol, date }) => `${symbol} ${date}`).sort(),
  );
  expect(flagged).toHaveLength(14);
  for (const { symbol, date, score } of expected) {
    const found = flagged.find((row) => row.symbol === symbol && row.date === date);
    close(found?.score, score, `${symbol} ${date}`);
  }
  const names = flagged.map(({ symbol, date }) => `${symbol} ${date}`);
  for (const known of ['AAPL 2000-06-21', 'AAPL 2000-09-29', 'AAPL 2005-02-28', 'MSFT 2003-02-18']) {
    expect(names).toContain(known);
  }
});

it('computes the market per day', async () => {
  interface Day {
    date: string;
    record_count: bigint;
    average_close: number;
    minimum_close: number;
    maximum_close: number;
    median_close: number;
    stddev_close: number;
    total_volume: bigint;
    price_range: number;
    volume_price_ratio: number;
    volatility_category: string;
  }
  const rows = await gold<Day>('stocks_daily_market');
  const days = groups((price) => price.date);
  expect(rows.map((row) => row.date)).toEqual([...days.keys()].sort());
  for (const row of rows) {
    const day = days.get(row.date) ?? [];
    const closes = day.map((price) => price.close);
    const spread = closes.length > 1 ? stddev(closes) : 0;
    expect(Number(row.record_count)).toBe(day.length);
    close(row.average_close, mean(closes), `average of ${row.date}`);
    expect(row.minimum_close).toBe(Math.min(...closes));
    expect(row.maximum_close).toBe(Math.max(...closes));
    close(row.median_close, median(closes), `median of ${row.date}`);
    close(row.stddev_close, spread, `stddev of ${row.date}`);
    expect(Number(row.total_volume)).toBe(sum(day.map((price) => price.volume)));
    const range = Math.max(...day.map((price) => price.high)) - Math.min(...day.map((price) => price.low));
    close(row.price_range, range, `range of ${row.date}`);
    close(
      row.volume_price_ratio,
      sum(day.map((price) => price.volume)) / mean(closes),
      `ratio of ${row.date}`,
    );
    expect(row.volatility_category).toBe(spread < 5 ? 'Low' : spread < 15 ? 'Medium' : 'High');
  }
});

it('computes months per company', async () => {
  interface Month {
    symbol: string;
    month: string;
    trading_days: bigint;
    open: number;
    high: number;
    low: number;
    close: number;
    average_close: number;
    month_return: number;
    total_volume: bigint;
  }
  const rows = await gold<Month>('stocks_monthly');
  const months = groups((price) => `${price.symbol} ${price.date.slice(0, 7)}-01`);
  expect(rows).toHaveLength(months.size);
  for (const row of rows) {
    const days = (months.get(`${row.symbol} ${row.month}`) ?? []).sort((a, b) => (a.date < b.date ? -1 : 1));
    const first = days[0] as Price;
    const last = days.at(-1) as Price;
    expect(Number(row.trading_days)).toBe(days.length);
    expect([row.open, row.close]).toEqual([first.open, last.close]);
    expect(row.high).toBe(Math.max(...days.map((day) => day.high)));
    expect(row.low).toBe(Math.min(...days.map((day) => day.low)));
    close(row.average_close, mean(days.map((day) => day.close)), `average of ${row.symbol} ${row.month}`);
    close(row.month_return, last.close / first.open - 1, `return of ${row.symbol} ${row.month}`);
    expect(Number(row.total_volume)).toBe(sum(days.map((day) => day.volume)));
  }
});

it('computes features per company and day', async () => {
  type Feature = Record<string, number | null> & { symbol: string; date: string };
  const rows = await gold<Feature>('stocks_daily_features');
  expect(rows).toHaveLength(prices.length);
  const found = new Map(rows.map((row) => [`${row.symbol} ${row.date}`, row]));
  for (const [symbol, list] of bySymbol) {
    const returns = list.map((price, index) =>
      index === 0 ? null : Math.log(price.close / (list[index - 1] as Price).close),
    );
    list.forEach((price, index) => {
      const row = found.get(`${symbol} ${price.date}`);
      const check = (name: string, expected: number | null): void =>
        close(row?.[name], expected, `${name} of ${symbol} ${price.date}`);
      check('log_return', returns[index] ?? null);
      check('price_range', price.high - price.low);
      const range = Math.log(price.high / price.low);
      check('parkinson_volatility', Math.sqrt(range ** 2 / (4 * Math.LN2)));
      const body = Math.log(price.close / price.open);
      check(
        'garman_klass_volatility',
        Math.sqrt(Math.max(0.5 * range ** 2 - (2 * Math.LN2 - 1) * body ** 2, 0)),
      );
      for (const days of [5, 20, 60]) {
        const window = list.slice(Math.max(0, index - days + 1), index + 1);
        const past = returns.slice(Math.max(1, index - days + 1), index + 1) as number[];
        const full = index + 1 >= days;
        check(`close_mean_${days}`, full ? mean(window.map((day) => day.close)) : null);
        for (const name of [`return_mean_${days}`, `return_stddev_${days}`])
          expect(row?.[name] === null, `${name} ${index}`).toBe(index < days);
        if (index >= days) {
          expect(Math.abs((row?.[`return_mean_${days}`] ?? NaN) - mean(past))).toBeLessThan(1e-12);
          expect(Math.abs((row?.[`return_stddev_${days}`] ?? NaN) - stddev(past))).toBeLessThan(1e-9);
        }
      }
      const volumes = list.slice(Math.max(0, index - 19), index + 1).map((day) => day.volume);
      if (index < 19) check('volume_z_20', null);
      else {
        const expected = (price.volume - mean(volumes)) / stddev(volumes);
        expect(Math.abs((row?.['volume_z_20'] ?? NaN) - expected)).toBeLessThan(1e-6);
      }
    });
  }
});

it('computes a table with windows part by part as it does whole', async () => {
  const definition = dataset.gold.find(({ table }) => table === 'stocks_daily_features');
  if (!definition) throw new Error('the dataset has no features');
  const input = { engine: bench.engine, dataset, gold: definition, silver };
  const [whole, parted] = await Promise.all([
    aggregate({ ...input, outputDirectory: bench.directory() }),
    aggregate({ ...input, outputDirectory: bench.directory(), partRows: 3_000 }),
  ]);
  expect(whole.gold).toHaveLength(1);
  expect(parted.gold.length).toBeGreaterThan(2);
  const rowsOf = ({ schema, gold: files }: typeof whole): Promise<object[]> =>
    bench.read(bench.plan(schema, files), 'ORDER BY symbol, date');
  expect(await rowsOf(parted)).toEqual(await rowsOf(whole));
});

it('stops every part when one fails, and says why', async () => {
  const [definition] = dataset.gold.filter(({ slices }) => slices?.window);
  if (!definition) throw new Error('the dataset has no windows');
  const sql = `SELECT symbol, date, CASE WHEN symbol = 'MSFT' THEN error('no such company') END AS x FROM silver.stocks`;
  const failing = aggregate({
    ...{ engine: bench.engine, dataset, silver, partRows: 3_000 },
    gold: { ...definition, sql },
    outputDirectory: bench.directory(),
  });
  await expect(failing).rejects.toThrow(/no such company/);
});

it.each([
  ['texts', `upper(symbol) || '.US' AS x, coalesce(symbol, 'none') AS y, symbol < 'M' AS z`],
  ['their types', 'typeof(symbol) AS x'],
  ['lists of them', '[symbol] AS x'],
  ['another text by default', `lag(symbol, 1, 'none') OVER (ORDER BY symbol, date) AS x`],
  ['a computed one by default', `lag(symbol, 1, 'before ' || symbol) OVER (ORDER BY symbol, date) AS x`],
])('gives a SELECT with windows the texts themselves: %s', async (_what, columns) => {
  const [windowed] = dataset.gold.filter(({ slices }) => slices?.window);
  if (!windowed) throw new Error('the dataset has no windows');
  const sql = `SELECT symbol, date, ${columns} FROM silver.stocks ORDER BY symbol, date`;
  const { slices: _, ...plain } = windowed;
  const computed = async (gold: typeof windowed): Promise<object[]> => {
    const made = await aggregate({
      ...{ engine: bench.engine, dataset, gold, silver, outputDirectory: bench.directory() },
    });
    return bench.read(bench.plan(made.schema, made.gold), 'ORDER BY symbol, date');
  };
  const texts = await computed({ ...plain, sql });
  expect(texts.length).toBeGreaterThan(12_000);
  expect(await computed({ ...windowed, sql })).toEqual(texts);
});
