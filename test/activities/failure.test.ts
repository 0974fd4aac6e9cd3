/** The one translation of errors: code, remedy, and whether trying again may help. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { toFailure } from '../../src/activities/failure.js';
import { DatalabError, ERRORS, type ErrorCode } from '../../src/contracts/errors.js';
import { DELTA_ERRORS, DeltaError, type DeltaErrorCode } from '../../src/delta/index.js';

const failureOf = (error: unknown): ApplicationFailure => {
  const failure = toFailure(error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
};

describe.each(Object.entries(ERRORS))('%s', (code, { retry, remedy }) => {
  it('keeps its code, its message, its remedy and its cause', () => {
    const cause = new Error('beneath');
    const failure = failureOf(new DatalabError(code as ErrorCode, 'what happened', { cause }));
    expect(failure).toMatchObject({ type: code, nonRetryable: !retry, cause });
    expect(failure.message).toContain('what happened');
    expect(failure.message).toContain(remedy);
  });
});

it.each(Object.entries(DELTA_ERRORS))('%s keeps its code and its remedy', (code, { retry, remedy }) => {
  const failure = failureOf(new DeltaError(code as DeltaErrorCode, 'what happened'));
  expect(failure).toMatchObject({ type: code, nonRetryable: !retry });
  expect(failure.message).toContain(remedy);
});

it('names failures of its own rooms apart', () => {
  expect(Object.keys(ERRORS).filter((code) => code in DELTA_ERRORS || code.startsWith('DELTA_'))).toEqual([]);
  expect(Object.keys(DELTA_ERRORS).every((code) => code.startsWith('DELTA_'))).toBe(true);
});

it.each([TypeError, RangeError, ReferenceError, SyntaxError])(
  'takes a %o for a bug that stays one',
  (Kind) => {
    const error = new Kind('oops');
    expect(failureOf(error)).toMatchObject({ type: 'UNEXPECTED', nonRetryable: true, cause: error });
    expect(failureOf(error).message).toContain('oops');
  },
);

it('lets what may pass be tried again: a broken connection, and what nobody knows', () => {
  const broken = new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
  const unknown = Object.assign(new Error('EIO'), { code: 'EIO' });
  for (const error of [broken, unknown, 'a text']) expect(toFailure(error)).toBe(error);
});

it('passes cancellation and failures of Temporal through untouched', () => {
  const cancelled = new CancelledFailure('stop');
  const own = ApplicationFailure.nonRetryable('no', 'QUALITY_BLOCKED');
  expect(toFailure(cancelled)).toBe(cancelled);
  expect(toFailure(own)).toBe(own);
});

it('cuts long texts, since they stay in histories', () => {
  const long = 'x'.repeat(1_000_000);
  expect(failureOf(new DatalabError('ENGINE_SQL_FAILED', long)).message.length).toBeLessThan(10_000);
  expect(failureOf(new TypeError(long)).message.length).toBeLessThan(10_000);
});

it('keeps the remedy of a message that is too long', () => {
  const { message } = failureOf(new DatalabError('ENGINE_SQL_FAILED', 'x'.repeat(1_000_000)));
  expect(message).toContain(ERRORS.ENGINE_SQL_FAILED.remedy);
});

it('cuts the texts of causes too', () => {
  const beneath = new Error('y'.repeat(1_000_000));
  const cause = new Error('short', { cause: beneath });
  const texts = (error: unknown): string[] =>
    error instanceof Error ? [error.message, error.stack ?? '', ...texts(error.cause)] : [];
  for (const error of [
    new DatalabError('ENGINE_SQL_FAILED', 'short', { cause }),
    new RangeError('z'.repeat(1_000_000)),
    new Error('what nobody knows', { cause }),
  ]) {
    const all = texts(toFailure(error));
    expect(all.length).toBeGreaterThan(2);
    for (const text of all) expect(text.length).toBeLessThan(10_000);
  }
});
