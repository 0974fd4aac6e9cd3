/** Runs a training job in a process of its own: progress on the way, stopped at once when it is no longer wanted. */
import { fork } from 'node:child_process';
import { DatalabError, type ErrorCode } from '../contracts/errors.js';
import type { TrainingJob, TrainingProgress } from '../contracts/training.js';

interface Message {
  readonly progress?: TrainingProgress;
  readonly result?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/**
 * Resolves with what the job answers. Throws what the job throws, MODEL_PROCESS_LOST where the process ended without an
 * answer, and the signal's reason when it is aborted: the process is killed then and gone when this rejects.
 */
export function runTrainingProcess<Result>(
  program: string,
  job: TrainingJob,
  options: { readonly signal: AbortSignal; readonly progress: (progress: TrainingProgress) => void },
): Promise<Result> {
  const { signal, progress } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const child = fork(program, [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // No secret of the worker is of use to it.
      env: { PATH: process.env['PATH'] ?? '', OMP_NUM_THREADS: '1' },
    });
    let answer: Message | undefined;
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2000)));
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message: Message) => {
      if (message.progress) progress(message.progress);
      else answer = message;
    });
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return reject(signal.reason as Error);
      if (answer?.error) return reject(new DatalabError(answer.error.code, answer.error.message));
      if (answer && 'result' in answer) return resolve(answer.result as Result);
      const how = killedBy === null ? `exit code ${code}` : killedBy;
      reject(
        new DatalabError(
          'MODEL_PROCESS_LOST',
          `the training process ended without an answer (${how}) ${said}`.trim(),
        ),
      );
    });
    child.send(job);
  });
}
