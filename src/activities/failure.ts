/** The one place where a domain error becomes Temporal's: its code is the failure's type, and says whether to retry. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { DatalabError } from '../contracts/errors.js';
import { DeltaError } from '../delta/index.js';

// Failures stay in histories for ever and travel in one message: long texts are cut.
const MESSAGE_MAX = 4000;

/** Anything thrown → what Temporal is told. Cancellation passes through. */
export function toFailure(error: unknown): unknown {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (error instanceof DatalabError || error instanceof DeltaError) {
    return ApplicationFailure.create({
      type: error.code,
      nonRetryable: !error.retry,
      message: `${error.message} What to do: ${error.remedy}`.slice(0, MESSAGE_MAX),
      cause: error.cause instanceof Error ? error.cause : undefined,
    });
  }
  if (isBug(error)) {
    return ApplicationFailure.create({
      type: 'UNEXPECTED',
      nonRetryable: true,
      message: `${error.name}: ${error.message}`.slice(0, MESSAGE_MAX),
      cause: error,
    });
  }
  return error;
}

/**
 * What a wrong program throws: the next attempt would throw it again. A TypeError with a cause is something else, as
 * `fetch` reports a broken connection that way.
 */
function isBug(error: unknown): error is Error {
  const kinds = [TypeError, ReferenceError, RangeError, SyntaxError];
  return kinds.some((kind) => error instanceof kind) && (error as Error).cause === undefined;
}
