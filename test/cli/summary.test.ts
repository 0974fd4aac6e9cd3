/** The end of a run, for people. */
import { describe, expect, it } from 'vitest';
import { renderSummary } from '../../src/cli/summary.js';
import type { EtlSummary } from '../../src/contracts/run.js';
import { summary } from './summaries.js';

const cells = (text: string, start: string): string[] =>
  text
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.split(/\s{2,}/) ?? [];

it('says what ran, for when, how it ended and how long it took', () => {
  const [first = ''] = renderSummary(summary(), 2500).split('\n');
  for (const part of ['w-7', 'sales', '2024-01-01T09:00:00.000Z', 'ok', '2.50 s'])
    expect(first).toContain(part);
  expect(renderSummary(summary()).split('\n')[0]).not.toMatch(/\d s$/);
});

it('has the ledger, the sources, the tables and the events, with every number', () => {
  const text = renderSummary(summary());
  expect(cells(text, 'bronze ')).toEqual(['bronze', '1,500', '1,499', '0', '1']);
  expect(cells(text, 'silver ')).toEqual(['silver', '1,499', '1,400', '90', '9']);
  expect(text).toContain('3 sources listed, 2 known, 1 ingested');
  expect(text).toContain('1,499 new rows');
  expect(cells(text, 'bronze.sales')).toEqual(['bronze.sales', '4', '12,345', '5', 'new version']);
  expect(cells(text, 'gold.totals')).toEqual(['gold.totals', '2', '3', '1', 'unchanged']);
  expect(text).toContain('3 events sent, 0 pending');
});

it('says that a repeated run had 0 new rows', () => {
  const none = { read: 0, accepted: 0, duplicate: 0, quarantined: 0 };
  const text = renderSummary(summary({ outcome: 'empty', bronze: none, silver: none, score: null }));
  expect(text).toContain('nothing new');
  expect(text).toContain('0 new rows');
  expect(text).not.toMatch(/score \d/);
});

it('has a different headline for every outcome', () => {
  const outcomes: EtlSummary['outcome'][] = ['running', 'ok', 'empty', 'blocked', 'failed', 'cancelled'];
  const lines = outcomes.map((outcome) => renderSummary(summary({ outcome })).split('\n')[0]);
  expect(new Set(lines).size).toBe(outcomes.length);
});

describe('quality', () => {
  const check = {
    name: 'nulls_name',
    kind: 'nulls',
    severity: 'block',
    outcome: 'failed',
    measured: 0.5,
    threshold: 0,
    rows: 10,
    badRows: 5,
    unit: 'ratio',
    share: 0.5,
    observed: null,
    examples: [],
    detail: 'half of the names are missing',
  } as const;

  it('says the score, and that no check failed', () => {
    expect(renderSummary(summary())).toMatch(/score 0\.875.*no failed checks/);
  });

  it('says which checks failed, what was measured and wanted, and how severe that is', () => {
    const text = renderSummary(summary({ failedChecks: [check, { ...check, severity: 'warn' }] }));
    expect(text).toContain('2 failed checks');
    expect(text).toMatch(/block +nulls_name +50% +≤ 0% +half of the names are missing/);
    expect(text).toMatch(/warn +nulls_name +50% +≤ 0% +half of the names are missing/);
  });
});

it('says where the report is: a path on this machine, an address elsewhere', () => {
  const report = { html: 'reports/sales/a.html', json: 'reports/sales/a.json' };
  const text = (lakeUri?: string): string => renderSummary(summary({ report }), undefined, lakeUri);
  expect(text('file:///data/my%20lake')).toContain('Report: /data/my lake/reports/sales/a.html');
  expect(text('s3://bucket/lake')).toContain('Report: s3://bucket/lake/reports/sales/a.html');
  expect(text()).toContain('`datalab runs report w-7` saves it here to open');
  expect(renderSummary(summary())).not.toContain('Report');
});

it('says why events are pending', () => {
  const text = renderSummary(summary({ events: { sent: 0, pending: 4, detail: 'Kafka is switched off' } }));
  expect(text).toContain('4 pending');
  expect(text).toContain('Kafka is switched off');
});
