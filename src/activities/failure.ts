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
      message: `${sentence(cut(error.message))} What to do: ${error.remedy}`,
      cause: error.cause instanceof Error ? shortened(error.cause) : undefined,
    });
  }
  if (isBug(error)) {
    return ApplicationFailure.create({
      type: 'UNEXPECTED',
      nonRetryable: true,
      message: `${error.name}: ${cut(error.message)}`,
      cause: shortened(error),
    });
  }
  return error instanceof Error ? shortened(error) : error;
}

/** The same activities, each of which fails as {@link toFailure} says. */
export function withFailures<Activities extends object>(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(
    ([name, body]: [string, (...args: never[]) => Promise<unknown>]) => [
      name,
      async (...args: never[]) => {
        try {
          return await body(...args);
        } catch (error) {
          throw toFailure(error);
        }
      },
    ],
  );
  return Object.fromEntries(wrapped) as unknown as Activities;
}

function sentence(text: string): string {
  return /[.!?…)]$/.test(text) ? text : `${text}.`;
}

function cut(text: string): string {
  return text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)}…` : text;
}

/** The same error where it is short; else one with its texts cut, causes included. A stack repeats the message. */
function shortened(error: Error): Error {
  const cause = error.cause instanceof Error ? shortened(error.cause) : undefined;
  const isShort = Math.max(error.message.length, error.stack?.length ?? 0) <= 2 * MESSAGE_MAX;
  if (isShort && (cause === undefined || cause === error.cause)) return error;
  const short = new Error(cut(error.message), { cause });
  return Object.assign(short, { name: error.name, stack: cut(error.stack ?? '') });
}

/**
 * What a wrong program throws: the next attempt would throw it again. A TypeError with a cause is something else, as
 * `fetch` reports a broken connection that way.
 */
function isBug(error: unknown): error is Error {
  const kinds = [TypeError, ReferenceError, RangeError, SyntaxError];
  return kinds.some((kind) => error instanceof kind) && (error as Error).cause === undefined;
}
