/** How a workflow ended, as an answer: a failure that is expected is no exception. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';

export type RunOutcomeOf<Result> =
  | { readonly status: 'completed'; readonly result: Result }
  | { readonly status: 'failed'; readonly code: string; readonly message: string }
  | { readonly status: 'cancelled' };

/** Waits for a workflow's result. The code of a failure is that of its innermost cause. */
export async function outcomeOf<Result>(ending: Promise<Result>): Promise<RunOutcomeOf<Result>> {
  try {
    return { status: 'completed', result: await ending };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    let cause: Error | undefined = error.cause;
    if (cause instanceof CancelledFailure) return { status: 'cancelled' };
    while (cause && !(cause instanceof ApplicationFailure) && cause.cause instanceof Error)
      cause = cause.cause;
    const code = cause instanceof ApplicationFailure ? (cause.type ?? 'UNEXPECTED') : 'UNEXPECTED';
    return { status: 'failed', code, message: cause?.message ?? error.message };
  }
}
