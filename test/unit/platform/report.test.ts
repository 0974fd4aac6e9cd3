/** What the tier runner counts. A run that proves nothing must not be green. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { merged, NONE, readReport, totals } from '../../../infra/test-report.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'datalab-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function report(passed: number, failed: number, files: readonly object[], code: number) {
  const file = path.join(folder, 'report.json');
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 1, numTodoTests: 1 };
  writeFileSync(file, JSON.stringify({ ...counts, testResults: files }));
  return readReport(file, code);
}

test('tests, broken files and errors outside the tests are counted', () => {
  const good = { name: 'good.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] };
  const test = { status: 'failed', fullName: 'a lake holds', failureMessages: ['Error: 1 is not 2\n  at x'] };
  const bad = { name: path.resolve('test/bad.test.ts'), status: 'failed', assertionResults: [test] };
  const broken = {
    name: path.resolve('broken.test.ts'),
    status: 'failed',
    assertionResults: [],
    message: 'no',
  };
  expect(report(3, 0, [good], 0)).toEqual({ passed: 3, failed: 0, skipped: 2, note: '', failures: [] });
  expect(report(3, 1, [good, bad], 1)).toMatchObject({ passed: 3, failed: 1 });
  expect(report(3, 1, [good, bad, broken], 1)).toMatchObject({
    failed: 2,
    failures: ['test/bad.test.ts › a lake holds: Error: 1 is not 2', 'broken.test.ts: no'],
  });
  expect(report(3, 0, [good], 1)).toMatchObject({ failed: 1, note: 'an error outside the tests' });
  expect(readReport(path.join(folder, 'none'), 137)).toMatchObject({ failed: 1 });
  expect(readReport(path.join(folder, 'none'), 0)).toMatchObject({ failed: 0, note: 'no tests' });
});

test('the files of a tier make one result', () => {
  const one = { passed: 3, failed: 0, skipped: 1, note: '', failures: [] };
  const two = { passed: 0, failed: 1, skipped: 0, note: 'killed', failures: ['x: no'] };
  expect(merged([one, two, two])).toEqual({
    ...{ passed: 3, failed: 2, skipped: 1, note: 'killed', failures: ['x: no', 'x: no'] },
  });
});

test('a run without a test is a failure; static checks alone are not', () => {
  const row = (tier: string, passed: number, failed = 0) => ({ ...NONE, tier, passed, failed });
  expect(totals([])).toMatchObject({ green: false, nothingRan: true });
  expect(totals([row('static', 5), row('unit', 0)])).toMatchObject({ green: false, nothingRan: true });
  expect(totals([row('static', 5)])).toMatchObject({ green: true });
  expect(totals([row('static', 5), row('unit', 1)])).toMatchObject({ green: true, passed: 6 });
  expect(totals([row('static', 4, 1), row('unit', 1)])).toMatchObject({ green: false, failed: 1 });
});
