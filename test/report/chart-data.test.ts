import { describe, expect, it } from 'vitest';
import type { ChartDefinition } from '../../src/contracts/report.js';
import { chartData, type ChartRow } from '../../src/report/index.js';

const definition: ChartDefinition = { title: 't', kind: 'line', sql: '', x: 'x', y: 'y', logarithmic: false };
const rows = (...values: Array<readonly [unknown, unknown, unknown?]>): ChartRow[] =>
  values.map(([x, y, series = null]) => ({ x, y, series }));

describe('chartData', () => {
  it('knows dates, instants, numbers and texts', () => {
    const dates = chartData(definition, rows(['2024-01-02', 2n], ['2024-01-01', 1]));
    expect(dates).toMatchObject({
      xKind: 'time',
      series: [
        {
          name: 'y',
          points: [
            [Date.UTC(2024, 0, 1), 1],
            [Date.UTC(2024, 0, 2), 2],
          ],
        },
      ],
    });
    const instants = chartData(definition, rows(['2024-01-01T06:00:00.000', 1]));
    expect(instants.series[0]?.points[0]?.[0]).toBe(Date.UTC(2024, 0, 1, 6));
    expect(chartData(definition, rows([3n, 1], [1, 2])).series[0]?.points).toEqual([
      [1, 2],
      [3, 1],
    ]);
    expect(chartData(definition, rows(['b', 1], ['a', 2], ['b', 3]))).toMatchObject({
      ...{ xKind: 'category', categories: ['b', 'a'] },
      series: [
        {
          points: [
            [0, 1],
            [0, 3],
            [1, 2],
          ],
        },
      ],
    });
  });

  it('parts rows into series by name, and leaves out what cannot be drawn', () => {
    const parted = chartData(
      { ...definition, series: 's' },
      rows([1, 1, 'b'], [1, null, 'b'], [null, 5, 'b'], [2, NaN, 'a'], [2, 7, 'a'], [3, 1]),
    );
    expect(parted.series.map(({ name, points }) => [name, points])).toEqual([
      ['a', [[2, 7]]],
      ['b', [[1, 1]]],
      ['none', [[3, 1]]],
    ]);
  });

  it('thins a long series out and keeps its peaks, in order', () => {
    const long = Array.from(
      { length: 20_000 },
      (_, index) => [index, index === 12_345 ? 1e6 : index === 7777 ? -1e6 : Math.sin(index)] as const,
    );
    const { series } = chartData(definition, rows(...long));
    const points = series[0]?.points ?? [];
    expect(points.length).toBeLessThanOrEqual(700);
    expect(points).toEqual(
      expect.arrayContaining([
        [12_345, 1e6],
        [7777, -1e6],
      ]),
    );
    expect(points.map(([x]) => x)).toEqual([...points.map(([x]) => x)].sort((left, right) => left - right));
  });

  it('says what it left out', () => {
    const series = chartData(
      { ...definition, series: 's' },
      rows(...Array.from({ length: 11 }, (_, index) => [1, 1, `s${index}`] as const)),
    );
    expect(series.series).toHaveLength(8);
    expect(series.notes).toEqual(['3 more series are left out.']);
    const texts = chartData(
      definition,
      rows(...Array.from({ length: 70 }, (_, index) => [`t${index}`, 1] as const)),
    );
    expect(texts.categories).toHaveLength(60);
    expect(texts.notes).toEqual(['10 more values of x are left out.']);
  });
});
