/** The page: what it says, that it stands alone, and that no text can become more than text. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/contracts/quality.js';
import { checkFigures, renderReport } from '../../src/report/index.js';
import { chart, documentWith } from './documents.js';

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert(2)">'"&amp;\u0000\u202e{{x}}\${y}`;

describe('a hostile text', () => {
  const page = renderReport(documentWith(HOSTILE));

  it('stays a text, wherever it stands', () => {
    expect(page).not.toContain('<img src=x');
    expect(page).not.toContain('<script>alert');
    expect(page).not.toContain('\u0000');
    expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(1)');
    // What is between the tags of scripts and styles is our own, or data that ends no element.
    const scripts = [...page.matchAll(/<script( type="application\/json")?>([\s\S]*?)<\/script>/g)];
    expect(scripts.filter(([, json]) => json === undefined)).toHaveLength(1);
    for (const [, json, text] of scripts) {
      if (json) expect(() => JSON.parse(text ?? '') as unknown).not.toThrow();
    }
    expect(page.match(/<script/g)).toHaveLength(scripts.length);
  });

  it('could not run anyway: the policy lets only our own script through', () => {
    const [, policy = ''] = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? [];
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(page) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    expect(policy).toContain(`script-src &#39;sha256-${hash}&#39;`);
    expect(policy).toContain('default-src &#39;none&#39;');
  });
});

describe('the page', () => {
  const page = renderReport(documentWith('plain'));

  it('needs no network', () => {
    expect(page).not.toMatch(/(src|href)\s*=/);
    expect(page).not.toMatch(/url\(|@import|https?:/);
  });

  it('says how the run ended and what the figures are', () => {
    for (const text of [
      'blocked by quality',
      '11,000',
      'at least 0.85 wanted',
      '25%',
      '≤ 5%',
      '≥ 0.850',
      '1.23 MB',
      '3.50 s',
    ]) {
      expect(page).toContain(text);
    }
    expect(page).toContain('Jan 1, 2024, 09:00 UTC');
    expect(page).toContain('12,000 read = 11,000 accepted + 1,000 quarantined');
    expect(page).toContain('11,000 read = 9,000 accepted + 1,500 duplicate + 500 quarantined');
  });

  it('draws numbers only: no path or place is undefined or not a number', () => {
    const empty = chart({ series: [{ name: 'none', points: [] }] });
    const single = chart({ series: [{ name: 'one', points: [[Date.UTC(2024, 0, 1), 0]] }] });
    const kinds = (['line', 'area', 'bar', 'scatter'] as const).flatMap((kind) => [
      chart({ kind }),
      chart({
        kind,
        logarithmic: true,
        series: [
          {
            name: 'l',
            points: [
              [0, 0],
              [1, 10],
              [2, -1],
            ],
          },
        ],
      }),
      { ...single, kind },
      { ...empty, kind },
    ]);
    const many = renderReport(
      documentWith('x', { charts: kinds, bronze: { read: 0, accepted: 0, duplicate: 0, quarantined: 0 } }),
    );
    const svg = [...many.matchAll(/<svg[\s\S]*?<\/svg>/g)].join('');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(many).toContain('There is nothing to draw yet.');
    expect(many).toContain('This run brought nothing here to read.');
  });
});

describe('figures of a check', () => {
  const check = (more: Partial<CheckResult>): CheckResult => ({
    ...{
      name: 'c',
      kind: 'nulls',
      severity: 'warn',
      outcome: 'passed',
      measured: 0,
      threshold: 0,
      unit: 'ratio',
    },
    ...{ rows: 1, badRows: 0, share: 1, observed: null, examples: [], detail: '' },
    ...more,
  });

  it.each([
    [{ measured: 0.03217, threshold: 0.05 }, '3.22%', '≤ 5%'],
    [{ unit: 'rows', measured: 12_345, threshold: 10 }, '12,345', '≤ 10'],
    [
      { kind: 'row_count', unit: 'rows', measured: 999, threshold: 1000, outcome: 'failed' },
      '999',
      '≥ 1,000',
    ],
    [{ kind: 'row_count', unit: 'rows', measured: 400, threshold: 100, outcome: 'failed' }, '400', '≤ 100'],
    [{ unit: 'days', measured: 1, threshold: 2.5 }, '1 day', '≤ 2.5 days'],
    [{ measured: null, threshold: null }, '–', '–'],
  ] as const)('%j', (more, measured, wanted) => {
    expect(checkFigures(check(more as Partial<CheckResult>))).toEqual({ measured, wanted });
  });
});
