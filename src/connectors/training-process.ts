/** Runs a training job in a process of its own: progress on the way, stopped at once when it is no longer wanted. */
import { fork } from 'node:child_process';
import { DatalabError, type ErrorCode } from '../contracts/errors.js';
import type { TrainingJob, TrainingProgress } from '../contracts/training.js';
import { watchMemory } from './process-memory.js';

interface Message {
  readonly progress?: TrainingProgress;
  readonly result?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

export interface TrainingProcessOptions {
  readonly signal: AbortSignal;
  readonly progress: (progress: TrainingProgress) => void;
  /** MiB that the process may take; without it nobody looks. */
  readonly memoryMb?: number;
}

/** What V8 says before it ends a process of which the heap is full. */
const HEAP_FULL = 'heap out of memory';

/**
 * Resolves with what the job answers. Throws what the job throws, MODEL_MEMORY_EXCEEDED where it takes more memory than it may,
 * MODEL_PROCESS_LOST where the process ended without an answer, and the signal's reason when it is aborted: the process is killed
 * then, as where it takes too much, and gone when this rejects.
 */
export function runTrainingProcess<Result>(
  program: string,
  job: TrainingJob,
  { signal, progress, memoryMb }: TrainingProcessOptions,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const child = fork(program, [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // The heap is a part of it only: the library and typed arrays take theirs beside it, so all of it is watched.
      execArgv: [...process.execArgv, ...(memoryMb ? [`--max-old-space-size=${memoryMb}`] : [])],
      // No secret of the worker is of use to it.
      env: { PATH: process.env['PATH'] ?? '', OMP_NUM_THREADS: '1' },
    });
    let answer: Message | undefined;
    let said = '';
    let tooMuch: string | undefined;
    child.stderr?.on('data', (bytes: Buffer) => {
      const all = `${said}${bytes.toString()}`;
      if (memoryMb !== undefined && all.includes(HEAP_FULL)) tooMuch ??= 'all of its heap';
      said = all.slice(-2000);
    });
    const stop = (): void => void child.kill('SIGKILL');
    const unwatch =
      child.pid !== undefined && memoryMb !== undefined
        ? watchMemory(child.pid, memoryMb, (usedMb) => {
            if (answer) return;
            tooMuch ??= `${Math.ceil(usedMb)} MiB`;
            stop();
          })
        : undefined;
    signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message: Message) => {
      if (message.progress) progress(message.progress);
      else answer = message;
    });
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      unwatch?.();
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return reject(signal.reason as Error);
      if (memoryMb !== undefined && tooMuch !== undefined) return reject(overBudget(job, tooMuch, memoryMb));
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

function overBudget(job: TrainingJob, used: string, memoryMb: number): DatalabError {
  const what =
    job.kind === 'train'
      ? `training '${job.candidate.name}' of model '${job.model.name}'`
      : job.kind === 'evaluate'
        ? `judging model '${job.model.name}'`
        : 'predicting';
  return new DatalabError(
    'MODEL_MEMORY_EXCEEDED',
    `${what} took ${used} of memory, the process may take ${memoryMb} MiB: it was stopped`,
  );
}
