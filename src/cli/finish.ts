/** Follows a run and prints how it ended. */
import type { RunHandle } from '../client/index.js';
import { EXIT } from './exit.js';
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

/** After a start: names the run, or with `--wait` follows it and sets the exit code by how it ended. */
export async function report(run: RunHandle, options: { wait?: boolean; json?: boolean }): Promise<void> {
  if (options.wait) {
    process.exitCode = (await finish(run, options)) ? EXIT.ok : EXIT.failed;
  } else {
    print(options.json, { workflowId: run.workflowId, runId: run.runId }, `started ${run.workflowId}`);
  }
}
