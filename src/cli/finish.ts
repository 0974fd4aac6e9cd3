/** Follows a run and prints how it ended. */
import type { RunHandle } from '../client/index.js';
import { follow } from './follow.js';
import { print } from './session.js';
import { renderSummary } from './summary.js';

/** True when the run completed. Progress goes to standard error, so that `--json` leaves clean output. */
export async function finish(run: RunHandle, { json }: { json?: boolean }): Promise<boolean> {
  const startedMs = Date.now();
  const result = await follow(run, json ? { write: () => undefined } : process.stderr);
  const durationMs = Date.now() - startedMs;
  switch (result.status) {
    case 'completed':
      print(json, { ...result.summary, durationMs }, `\n${renderSummary(result.summary, durationMs)}`);
      return true;
    case 'failed':
      print(json, result, `\nRun ${run.workflowId} failed (${result.code}): ${result.message}`);
      return false;
    case 'cancelled':
      print(json, result, `\nRun ${run.workflowId} was cancelled; what it had published stays.`);
      return false;
  }
}
