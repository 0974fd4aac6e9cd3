/** What the tier runner counts: vitest's JSON reports, and their sum. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const NONE = Object.freeze({ passed: 0, failed: 0, skipped: 0, note: '', failures: [] });

/** Counts of a vitest JSON report. A file that failed outside its tests, and an error outside all files, count as one. */
export function readReport(file, code) {
  if (!existsSync(file))
    return code === 0
      ? { ...NONE, note: 'no tests' }
      : { ...NONE, failed: 1, note: `vitest ended with code ${code}` };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = report.numFailedTests + brokenFiles.length;
  const outside = code !== 0 && failed === 0 ? 1 : 0;
  return {
    passed: report.numPassedTests,
    failed: failed + outside,
    skipped: report.numPendingTests + report.numTodoTests,
    note: outside ? 'an error outside the tests' : report.testResults.length === 0 ? 'no tests' : '',
    failures: report.testResults.flatMap(failuresOf),
  };
}

/** `file › test: the first line of what it said`, for each that failed. */
function failuresOf({ name, status, message = '', assertionResults }) {
  const file = path.relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) return status === 'failed' ? [`${file}: ${firstLine(message)}`] : [];
  return failed.map(
    ({ fullName, failureMessages = [] }) => `${file} › ${fullName}: ${firstLine(failureMessages[0] ?? '')}`,
  );
}

const firstLine = (text) => text.split('\n', 1)[0].slice(0, 300);

/** One result of several: those of the files of a tier. */
export function merged(results) {
  return {
    ...Object.fromEntries(
      ['passed', 'failed', 'skipped'].map((key) => [key, results.reduce((sum, one) => sum + one[key], 0)]),
    ),
    note: [...new Set(results.map(({ note }) => note).filter((note) => note !== ''))].join('; '),
    failures: results.flatMap(({ failures }) => failures),
  };
}

/**
 * Sums the tiers. Nothing failed is not enough to be green: a test must have run, unless only the static checks were
 * asked for.
 */
export function totals(rows) {
  const sum = (key, some = rows) => some.reduce((total, row) => total + row[key], 0);
  const tests = rows.filter(({ tier }) => tier !== 'static');
  const nothingRan =
    rows.length === 0 || (tests.length > 0 && sum('passed', tests) + sum('failed', tests) === 0);
  const failed = sum('failed');
  return {
    passed: sum('passed'),
    failed,
    skipped: sum('skipped'),
    nothingRan,
    green: failed === 0 && !nothingRan,
  };
}
