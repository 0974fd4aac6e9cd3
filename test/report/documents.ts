/** Report documents for the tests of the page. */
import type { ChartData, ReportDocument } from '../../src/contracts/report.js';
import { step } from '../cli/summaries.js';

export function chart(more: Partial<ChartData> = {}): ChartData {
  return {
    ...{ title: 'Prices', kind: 'line', xKind: 'time', xName: 'day', yName: 'close', logarithmic: false },
    ...{ categories: [], notes: [] },
    series: [
      {
        name: 'a',
        points: [
          [Date.UTC(2024, 0, 1), 1],
          [Date.UTC(2024, 0, 2), 3],
        ],
      },
    ],
    ...more,
  };
}

/** `text` stands wherever somebody else's words may stand. */
export function documentWith(text: string, more: Partial<ReportDocument> = {}): ReportDocument {
  return {
    schema: 'datalab.report/1',
    dataset: { name: text, description: text },
    run: {
      runId: text,
      executionId: text,
      workflowId: text,
      dataset: text,
      logicalTime: '2024-01-01T09:00:00.000Z',
    },
    outcome: 'blocked',
    startedAt: '2024-01-01T09:00:01.000Z',
    reportedAt: '2024-01-01T09:00:04.500Z',
    error: { code: text, message: text, remedy: text },
    sources: { listed: 3, ingested: 1, known: 2 },
    bronze: { read: 12_000, accepted: 11_000, duplicate: 0, quarantined: 1000 },
    silver: { read: 11_000, accepted: 9000, duplicate: 1500, quarantined: 500 },
    score: 0.71,
    checks: [
      {
        ...{
          name: text,
          kind: 'range',
          severity: 'block',
          outcome: 'failed',
          measured: 0.25,
          threshold: 0.05,
        },
        ...{ unit: 'ratio', rows: 100, badRows: 25, share: 0.75, observed: null, detail: text },
        examples: [{ file: `file:///in/${text}`, line: 7 }],
      },
      {
        ...{
          name: 'score',
          kind: 'score',
          severity: 'warn',
          outcome: 'failed',
          measured: 0.71,
          threshold: 0.85,
        },
        ...{ unit: 'score', rows: 0, badRows: 0, share: 0.71, observed: null, detail: 'low', examples: [] },
      },
    ],
    scores: [0.9, 0.95, 0.71].map((score, day) => ({
      ...{
        runId: `r${day}`,
        at: new Date(Date.UTC(2024, 0, day + 1)).toISOString(),
        score,
        outcome: 'ok' as const,
      },
    })),
    charts: [
      chart({
        title: text,
        description: text,
        notes: [text],
        series: [
          { name: text, points: [[0, 1]] },
          { name: 'b', points: [[1, 2]] },
        ],
      }),
      chart({
        title: 'Bars',
        kind: 'bar',
        xKind: 'category',
        categories: [text, 'y'],
        series: [
          {
            name: text,
            points: [
              [0, 1],
              [1, -2],
            ],
          },
        ],
      }),
    ],
    tables: [{ table: text, version: 3, rows: 11_000, files: 2, changed: true }],
    steps: [
      step(text, { detail: text }),
      step('publish', { attempt: 2, outcome: 'conflict', bytes: 1_234_567 }),
    ],
    quarantine: [
      {
        layer: text,
        rule: text,
        reason: text,
        rows: 1000,
        examples: [
          { file: text, line: 3, raw: text },
          { file: null, line: null, raw: null },
        ],
      },
    ],
    problems: [text],
    ...more,
  };
}
