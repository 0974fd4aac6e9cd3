/** What the tier runner counts. A run that proves nothing must not be green. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NONE, readReport, totals } from '../../../infra/test-report.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'datalab-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function report(passed: number, failed: number, files: readonly object[], code: number) {
  const file = path.join(folder, 'report.json');
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 1, numTodoTests: 1 };
  writeFileSync(file, JSON.stringify({ ...counts, testResults: files }));
  return readReport(file, code);
}

test('tests, broken files and errors outside the tests are counted', () => {
  const good = { status: 'passed', assertionResults: [{ status: 'passed' }] };
  const bad = { status: 'failed', assertionResults: [{ status: 'failed' }] };
  const broken = { status: 'failed', assertionResults: [] };
  expect(report(3, 0, [good], 0)).toEqual({ passed: 3, failed: 0, skipped: 2, note: '' });
  expect(report(3, 1, [good, bad], 1)).toMatchObject({ passed: 3, failed: 1 });
  expect(report(3, 1, [good, bad, broken], 1)).toMatchObject({ failed: 2 });
  expect(report(3, 0, [good], 1)).toMatchObject({ failed: 1, note: 'an error outside the tests' });
  expect(readReport(path.join(folder, 'none'), 137)).toMatchObject({ failed: 1 });
  expect(readReport(path.join(folder, 'none'), 0)).toMatchObject({ failed: 0, note: 'no tests' });
});

test('a run without a test is a failure; static checks alone are not', () => {
  const row = (tier: string, passed: number, failed = 0) => ({ ...NONE, tier, passed, failed });
  expect(totals([])).toMatchObject({ green: false, nothingRan: true });
  expect(totals([row('static', 5), row('unit', 0)])).toMatchObject({ green: false, nothingRan: true });
  expect(totals([row('static', 5)])).toMatchObject({ green: true });
  expect(totals([row('static', 5), row('unit', 1)])).toMatchObject({ green: true, passed: 6 });
  expect(totals([row('static', 4, 1), row('unit', 1)])).toMatchObject({ green: false, failed: 1 });
});
