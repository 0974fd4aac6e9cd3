/**
 * One job of a training process: figures back, models in files. Blocks once it has begun. What only some jobs need is loaded by those:
 * half of the start of a process that trains was for what it did not use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openXgboost } from './connectors/xgboost/engine.js';
import type { TrainingJob, TrainingProgress } from './contracts/training.js';
import { decodeRows } from './ml/matrix.js';
import { trainCandidate } from './ml/train.js';

/** Throws MODEL_ENGINE_MISSING, MODEL_ENGINE_FAILED and what the job itself throws. */
export async function runTrainingJob(
  job: TrainingJob,
  progress: (progress: TrainingProgress) => void,
): Promise<unknown> {
  if (job.kind === 'predict') {
    const engine = openXgboost(job.library);
    const booster = engine.load(readFileSync(job.model, 'utf8'));
    const x = Float32Array.from(job.x, (value) => value ?? NaN);
    return { engine: engine.version, predictions: Array.from(booster.predict(x, job.width)) };
  }
  const engine =
    job.library === null ? (await import('./ml/own-engine.js')).ownEngine : openXgboost(job.library);
  const data = decodeRows(readFileSync(job.features));
  if (job.kind === 'evaluate') {
    const candidates = job.candidates.map(({ trained, folder }) => ({
      trained,
      json: readFileSync(path.join(folder, 'model.json'), 'utf8'),
    }));
    const { evaluate } = await import('./ml/evaluate.js');
    return evaluate({ engine, data, model: job.model, candidates, champion: job.champion, progress });
  }
  const { trained, booster } = trainCandidate(engine, data, job.model, job.candidate, {
    nowMs: () => Date.now(),
    progress,
  });
  if (job.library !== null) writeFileSync(path.join(job.output, 'model.ubj'), booster.save('ubj'));
  writeFileSync(path.join(job.output, 'model.json'), booster.save('json'));
  booster.close();
  return trained;
}
