/** Shows a run while it goes on: a bar on a terminal, plain lines elsewhere. */
import type { RunHandle, RunProgress, RunResult } from '../client/index.js';
import type { StepRecord } from '../contracts/run.js';
import { bar, count, seconds } from './text.js';

/** Follows the run to its end; `write` gets text with its own line ends. */
export async function follow(
  run: RunHandle,
  output: { write(text: string): unknown; isTTY?: boolean },
): Promise<RunResult> {
  let printed = 0;
  const clear = output.isTTY ? '\r\u001b[K' : '';
  const show = (steps: readonly StepRecord[]): void => {
    for (const step of steps.slice(printed)) {
      const took = seconds(Date.parse(step.finishedAt) - Date.parse(step.startedAt));
      const again = step.attempt > 1 ? `, attempt ${step.attempt}` : '';
      output.write(`${clear}  ${step.step.padEnd(36)} ${took.padStart(8)}  ${step.detail}${again}\n`);
    }
    printed = Math.max(printed, steps.length);
  };
  const result = await run.watch((progress) => {
    show(progress.summary.steps);
    if (output.isTTY) output.write(`${clear}${live(progress)}`);
  });
  // The last steps are often over before anybody looks again.
  if (result.status === 'completed') show(result.summary.steps);
  if (output.isTTY) output.write(clear);
  return result;
}

function live({ summary, activities }: RunProgress): string {
  const [running] = activities;
  const progress = running?.progress;
  const figures =
    progress && progress.total > 0
      ? ` ${bar(progress.done, progress.total)} ${count(progress.done)} ${progress.unit}`
      : '';
  return `  ${summary.phase}${running ? `: ${running.activity}` : ''}${figures}`;
}
