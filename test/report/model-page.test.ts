/** The report of a training: a yes or no has four counts, classes have a line and a column each, and nothing comes from elsewhere. */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import type { Evaluation } from '../../src/contracts/training.js';
import { renderModelReport } from '../../src/report/index.js';

const CLASSES = ['calm', 'usual', '<wild>'];

function pageOf(kind: 'binary' | 'multiclass', more: Partial<Evaluation>): string {
  const metric = 'accuracy';
  const model = parseModel('d', 'm', {
    ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric },
    target: { expression: 'v', kind, ...(kind === 'multiclass' && { classes: CLASSES }) },
    features: [{ name: 'v' }],
    candidates: [{ kind: 'linear' }],
    baselines: [{ kind: 'majority' }],
  });
  const evaluation: Evaluation = {
    ...{
      winner: 'linear',
      metric,
      metrics: { accuracy: 0.8 },
      interval: null,
      difference: null,
      champion: null,
    },
    rows: { train: 100, holdout: 20, from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
    baselines: [{ name: 'majority', metrics: { accuracy: 0.5 } }],
    candidates: [{ name: 'linear', metrics: { accuracy: 0.8 } }],
    ...{ byKey: [], byPeriod: [], importance: [], drift: [], confusion: null, calibration: [], parity: 0 },
    smoke: [],
    ...more,
  };
  return renderModelReport({
    ...{ model, evaluation, plan: { goldVersion: 3 }, candidates: [], reportedAt: '2026-02-02T00:00:00Z' },
    gate: { passed: true, reasons: [], rules: [] },
    run: {
      ...{ runId: 'r', executionId: 'e', workflowId: 'w', dataset: 'd', logicalTime: '2026-02-02T00:00:00Z' },
    },
  });
}

/** Texts of the cells of the table that follows a heading, line by line. */
function tableAfter(page: string, heading: string): string[][] {
  const part = page.slice(page.indexOf(heading));
  const body = part.slice(part.indexOf('<table>'), part.indexOf('</table>'));
  return [...body.matchAll(/<tr>([^]*?)<\/tr>/g)].map(([, line = '']) =>
    [...line.matchAll(/<t[hd][^>]*>([^]*?)<\/t[hd]>/g)].map(([, cell = '']) =>
      cell.replaceAll(/<\/?b>/g, '').trim(),
    ),
  );
}

describe('the report of a training', () => {
  it('shows how many rows of each class were said to be which', () => {
    const page = pageOf('multiclass', {
      classes: {
        names: CLASSES,
        confusion: [
          [6, 2, 0],
          [1, 7, 0],
          [0, 1, 3],
        ],
      },
      calibration: [{ predicted: 0.55, observed: 0.5, rows: 20 }],
    });
    expect(tableAfter(page, 'Confusion of classes')).toEqual([
      ['', 'said calm', 'said usual', 'said &lt;wild&gt;', 'rows', 'found'],
      ['was calm', '6', '2', '0', '8', '75.0 %'],
      ['was usual', '1', '7', '0', '8', '87.5 %'],
      ['was &lt;wild&gt;', '0', '1', '3', '4', '75.0 %'],
      ['right of those', '85.7 %', '70.0 %', '100.0 %', '20', ''],
    ]);
    expect(tableAfter(page, '<h2>Calibration')).toEqual([
      ['Probability', 'Right', 'Rows'],
      ['0.5500', '0.5000', '20'],
    ]);
    expect(page).not.toContain('<wild>');
    expect(page).not.toMatch(/(?:src|href)="https?:/);
  });

  it('of a yes or no has the four counts, its calibration and the interval of its figure', () => {
    const page = pageOf('binary', {
      confusion: { tp: 5, fp: 1, tn: 9, fn: 5, threshold: 0.3 },
      calibration: [
        { predicted: 0.25, observed: 0.3, rows: 14 },
        { predicted: 0.75, observed: 0.7, rows: 6 },
      ],
      interval: { low: 0.71234, high: 0.88 },
    });
    expect(tableAfter(page, 'Confusion, where yes is said from 0.3 on')).toEqual([
      ['', 'said yes', 'said no'],
      ['was yes', '5', '5'],
      ['was no', '1', '9'],
    ]);
    expect(tableAfter(page, '<h2>Calibration')).toEqual([
      ['Probability', 'Was yes', 'Rows'],
      ['0.2500', '0.3000', '14'],
      ['0.7500', '0.7000', '6'],
    ]);
    expect(page).toMatch(/95 % of resamplings<\/dt>\s*<dd>0\.7123 to 0\.8800</);
    expect(page).not.toContain('Confusion of classes');
  });
});
