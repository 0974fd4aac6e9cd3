/**
 * The process that trains: one job from its parent, figures back, models in files. A process of its own, since the library
 * blocks, may crash, and is stopped at once by ending it.
 */
import { DatalabError } from './contracts/errors.js';
import type { TrainingJob, TrainingProgress } from './contracts/training.js';
import { runTrainingJob } from './training-job.js';

const parent = process.ppid;

/** Training lets no event in, so a parent that was killed is only noticed by asking. Nobody waits for the model then. */
function tell(progress: TrainingProgress): void {
  if (process.ppid !== parent) process.exit(1);
  process.send?.({ progress });
}

process.once('message', (job: TrainingJob) => {
  runTrainingJob(job, tell).then(
    (result) => process.send?.({ result }, () => process.disconnect()),
    (error: unknown) => {
      const code = error instanceof DatalabError ? error.code : 'MODEL_ENGINE_FAILED';
      process.send?.({ error: { code, message: (error as Error).message } }, () => process.disconnect());
    },
  );
});
// A parent that is gone wants no answer.
process.once('disconnect', () => process.exit(0));
