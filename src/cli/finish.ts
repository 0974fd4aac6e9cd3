/** Follows a run and prints how it ended. */
import type { RunHandle } from '../client/index.js';
import type { EtlSummary } from '../contracts/run.js';
import { EXIT } from './exit.js';
import { follow } from './follow.js';
import { print } from './session.js';
import { renderSummary } from './summary.js';

/** How to tell the end of a run. */
export interface Telling {
  readonly json?: boolean;
  /** Where the lake is, so that the report can be named. */
  readonly lakeUri?: string;
}

/**
 * The summary of a run that completed; undefined where it did not. Progress goes to standard error, so that `--json` leaves
 * clean output.
 */
export async function finish(run: RunHandle, { json, lakeUri }: Telling): Promise<EtlSummary | undefined> {
  const startedMs = Date.now();
  const result = await follow(run, json ? { write: () => undefined } : process.stderr);
  const durationMs = Date.now() - startedMs;
  if (result.status === 'completed') {
    const { summary } = result;
    print(json, { ...summary, durationMs }, `\n${renderSummary(summary, durationMs, lakeUri)}`);
    return summary;
  }
  // How far it came is known as long as a worker answers for it.
  const summary = await run.progress().then(
    (progress) => progress.summary,
    () => undefined,
  );
  const said =
    result.status === 'failed'
      ? `Run ${run.workflowId} failed (${result.code}): ${result.message}`
      : `Run ${run.workflowId} was cancelled; what it had published stays.`;
  const more = summary === undefined ? '' : `\n\n${renderSummary(summary, durationMs, lakeUri)}`;
  print(json, { ...result, ...(summary !== undefined && { summary }) }, `\n${said}${more}`);
  return undefined;
}

/** After a start: names the run, or with `--wait` follows it and sets the exit code by how it ended. */
export async function report(run: RunHandle, options: Telling & { readonly wait?: boolean }): Promise<void> {
  if (options.wait) {
    process.exitCode = (await finish(run, options)) ? EXIT.ok : EXIT.failed;
  } else {
    print(options.json, { workflowId: run.workflowId, runId: run.runId }, `started ${run.workflowId}`);
  }
}
