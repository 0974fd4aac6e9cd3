/** `report` of a `dataset.yaml`: the charts that the dataset's reports show. */
import { z } from 'zod';
import type { ChartDefinition } from '../contracts/report.js';

const SQL_FILE = /^[A-Za-z0-9_/.-]+\.sql$/;

export const reportSchema = z.strictObject({
  charts: z
    .array(
      z.strictObject({
        title: z.string().min(1).max(120),
        description: z.string().max(500).optional(),
        kind: z.enum(['line', 'area', 'bar', 'scatter']).default('line'),
        sql: z
          .string()
          .min(1)
          .describe('A SELECT over silver.<dataset> and its gold tables, or its .sql file.'),
        x: z.string().min(1).describe('Column of dates, instants, numbers or texts.'),
        y: z.string().min(1).describe('Column of numbers.'),
        series: z.string().min(1).optional().describe('Column whose values part the rows into series.'),
        logarithmic: z.boolean().default(false),
      }),
    )
    .max(24)
    .default([]),
});

type DeclaredReport = z.output<typeof reportSchema>;

/** Calls `say` for every `.sql` file that a chart names and the folder lacks. */
export function chartProblems(
  { charts }: DeclaredReport,
  files: ReadonlyMap<string, string>,
  say: (at: string, message: string) => void,
): void {
  charts.forEach(({ sql }, index) => {
    if (SQL_FILE.test(sql) && !files.has(sql)) {
      say(`report.charts[${index}].sql`, `no file '${sql}' in the dataset folder`);
    }
  });
}

/** The charts with their SQL. */
export function defineCharts(
  { charts }: DeclaredReport,
  files: ReadonlyMap<string, string>,
): ChartDefinition[] {
  return charts.map(({ sql, description, series, ...chart }) => ({
    ...chart,
    sql: (SQL_FILE.test(sql) ? (files.get(sql) ?? '') : sql).trim(),
    ...(description === undefined ? {} : { description }),
    ...(series === undefined ? {} : { series }),
  }));
}
