/** Training and judging, each in a process of its own, with files by reference. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BuiltFeatures, EvaluatedStep, PlannedTraining, TrainedStep } from '../../contracts/ml-flows.js';
import { featureNames } from '../../contracts/model.js';
import type { Evaluation, TrainedCandidate } from '../../contracts/training.js';
import { passGate } from '../../ml/gate.js';
import { refuseTooLarge } from '../../ml/memory.js';
import { openPredictor } from '../../ml/predictor.js';
import { runStep } from '../step.js';
import { folderOf, mlflowOf, plannedModel } from './common.js';
import type { TrainingDeps } from './deps.js';

export async function trainCandidate(
  deps: TrainingDeps,
  run: PlannedTraining,
  features: BuiltFeatures,
  name: string,
): Promise<TrainedStep> {
  const model = await plannedModel(deps, run);
  const candidate = model.candidates.find((one) => one.name === name);
  if (!candidate) throw new RangeError(`model '${model.name}' has no candidate '${name}'`);
  refuseTooLarge(model, features.rows, deps.memoryMb);
  const folder = `${folderOf(run)}/${name}`;
  const { step, value } = await runStep(
    `train ${name}`,
    deps.scratchDirectory,
    async ({ scratch, signal, progress }) => {
      const local = path.join(scratch, 'features.arrow');
      await writeFile(local, await deps.lake.get(features.key));
      const trained = await deps.runJob<TrainedCandidate>(
        { kind: 'train', features: local, model, candidate, output: scratch, library: deps.library ?? null },
        { signal, progress },
      );
      let bytes = 0;
      for (const file of await modelFiles(scratch)) {
        const content = await readFile(path.join(scratch, file));
        bytes += content.length;
        await deps.lake.put(`${folder}/${file}`, content);
      }
      const score = trained.validation[model.metric] ?? NaN;
      const left = trained.leftOut > 0 ? `, ${trained.leftOut} left out for want of time` : '';
      const detail = `${model.metric} ${score.toFixed(4)} over ${trained.folds.length} folds, best of ${trained.tried}${left}`;
      return { rows: features.rows, bytes, detail, value: trained };
    },
  );
  return { step, trained: value, folder };
}

/** The binary format is the library's own, and missing where that is. */
async function modelFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('model.'));
}

export async function evaluateModel(
  deps: TrainingDeps,
  run: PlannedTraining,
  features: BuiltFeatures,
  trained: readonly TrainedStep[],
): Promise<EvaluatedStep> {
  const model = await plannedModel(deps, run);
  refuseTooLarge(model, features.rows, deps.memoryMb);
  const { step, value } = await runStep(
    'evaluate',
    deps.scratchDirectory,
    async ({ scratch, signal, progress }) => {
      const local = path.join(scratch, 'features.arrow');
      await writeFile(local, await deps.lake.get(features.key));
      const candidates = await Promise.all(
        trained.map(async ({ trained: one, folder }) => {
          const to = path.join(scratch, one.name);
          await mkdir(to);
          await writeFile(path.join(to, 'model.json'), await deps.lake.get(`${folder}/model.json`));
          return { trained: one, folder: to };
        }),
      );
      const champion = await championOf(deps, model.name);
      const names = featureNames(model.features);
      const same =
        champion === null || openPredictor(champion.json).featureNames.join('\n') === names.join('\n');
      const evaluation = await deps.runJob<Evaluation>(
        {
          kind: 'evaluate',
          features: local,
          model,
          library: deps.library ?? null,
          candidates,
          champion: same ? champion : null,
        },
        { signal, progress },
      );
      const gate = passGate(model.gate, evaluation, { leaks: features.leaks, championSchema: same });
      const key = `${folderOf(run)}/evaluation.json`;
      const bytes = Buffer.from(JSON.stringify({ evaluation, gate }));
      await deps.lake.put(key, bytes);
      const { winner, metrics } = evaluation;
      const figure = (metrics[model.metric] ?? NaN).toFixed(4);
      const detail = `${winner}: ${model.metric} ${figure} on ${evaluation.rows.holdout} rows; gate ${gate.passed ? 'passed' : 'refused'}`;
      const value = { key, winner, metrics, gate, champion: champion?.version ?? null };
      return { rows: evaluation.rows.holdout, bytes: bytes.length, detail, value };
    },
  );
  return { step, ...value };
}

async function championOf(
  deps: TrainingDeps,
  name: string,
): Promise<{ version: string; json: string } | null> {
  const mlflow = mlflowOf(deps);
  const { champion } = await mlflow.aliases(name);
  const version = (await mlflow.versions(name)).find((one) => one.version === champion);
  if (!version) return null;
  return {
    version: version.version,
    json: (await mlflow.getArtifact(version.source, 'model.json')).toString(),
  };
}
