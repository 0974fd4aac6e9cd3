/**
 * The process that trains: one job from its parent, figures back, models in files. A process of its own, since the library
 * blocks, may crash, and is stopped at once by ending it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openXgboost } from './connectors/xgboost/engine.js';
import { DatalabError } from './contracts/errors.js';
import type { TrainingJob, TrainingProgress } from './contracts/training.js';
import { evaluate } from './ml/evaluate.js';
import { decodeRows } from './ml/matrix.js';
import { trainCandidate } from './ml/train.js';

function run(job: TrainingJob, progress: (progress: TrainingProgress) => void): unknown {
  const engine = openXgboost(job.library);
  if (job.kind === 'predict') {
    const booster = engine.load(readFileSync(job.model, 'utf8'));
    const x = Float32Array.from(job.x, (value) => value ?? NaN);
    return { engine: engine.version, predictions: Array.from(booster.predict(x, job.width)) };
  }
  const data = decodeRows(readFileSync(job.features));
  if (job.kind === 'evaluate') {
    const candidates = job.candidates.map(({ trained, folder }) => ({
      trained,
      json: readFileSync(path.join(folder, 'model.json'), 'utf8'),
    }));
    return evaluate({ engine, data, model: job.model, candidates, champion: job.champion, progress });
  }
  const { trained, booster } = trainCandidate(engine, data, job.model, job.candidate, {
    nowMs: () => Date.now(),
    progress,
  });
  writeFileSync(path.join(job.output, 'model.ubj'), booster.save('ubj'));
  writeFileSync(path.join(job.output, 'model.json'), booster.save('json'));
  booster.close();
  return trained;
}

const parent = process.ppid;

/** Training lets no event in, so a parent that was killed is only noticed by asking. Nobody waits for the model then. */
function tell(progress: TrainingProgress): void {
  if (process.ppid !== parent) process.exit(1);
  process.send?.({ progress });
}

process.once('message', (job: TrainingJob) => {
  try {
    const result = run(job, tell);
    process.send?.({ result }, () => process.disconnect());
  } catch (error) {
    const code = error instanceof DatalabError ? error.code : 'MODEL_ENGINE_FAILED';
    process.send?.({ error: { code, message: (error as Error).message } }, () => process.disconnect());
  }
});
// A parent that is gone wants no answer.
process.once('disconnect', () => process.exit(0));
