/** The steps of a deployment. Each looks first, so that each can be repeated. */
import { DatalabError } from '../../contracts/errors.js';
import type { AliasState, DeploymentInput } from '../../contracts/ml-flows.js';
import { openPredictor } from '../../ml/predictor.js';
import { compareScores, smokeMatrix, storedScores, type SmokeRow } from '../../ml/smoke.js';
import { mlflowOf } from './common.js';
import type { TrainingDeps } from './deps.js';

/** Where the aliases stand, and the version that the input means. Throws MODEL_VERSION_UNKNOWN. */
export async function readAliases(
  deps: TrainingDeps,
  { model, version }: DeploymentInput,
): Promise<AliasState & { version: string }> {
  const mlflow = mlflowOf(deps);
  const { champion = null, previous = null } = await mlflow.aliases(model);
  const wanted = version === 'previous' ? previous : version;
  if (wanted !== null && (await mlflow.versions(model)).some((one) => one.version === wanted))
    return { champion, previous, version: wanted };
  throw new DatalabError('MODEL_VERSION_UNKNOWN', `model '${model}' has no version '${version}'`);
}

/** Tried here, and where it will be served: a version that the model server cannot load is not switched to. */
export async function smokeTest(deps: TrainingDeps, model: string, version: string): Promise<void> {
  await predictStored(deps, model, version);
  await deps.modelServer?.check(model, version);
}

async function predictStored(deps: TrainingDeps, model: string, version: string): Promise<void> {
  const mlflow = mlflowOf(deps);
  const found = (await mlflow.versions(model)).find((one) => one.version === version);
  if (!found) throw new DatalabError('MODEL_VERSION_UNKNOWN', `model '${model}' has no version '${version}'`);
  const read = async (name: string): Promise<string> =>
    (await mlflow.getArtifact(found.source, name)).toString();
  const predictor = openPredictor(await read('model.json'));
  const rows = JSON.parse(await read('smoke.json')) as SmokeRow[];
  for (const row of rows) {
    const found = compareScores(predictor.scores(smokeMatrix(predictor, [row])), storedScores(row));
    if ('own' in found)
      throw new DatalabError(
        'MODEL_PARITY',
        `model '${model}' version ${version} predicts ${found.own} where ${found.wanted} is stored`,
      );
  }
}

/**
 * Compare and set: MLflow has no such thing, so what is there is read first; deployments of a model come one at a time
 * because they share a workflow id. `previous` moves first: at every moment the old champion has a name.
 */
export async function switchAlias(
  deps: TrainingDeps,
  model: string,
  from: AliasState,
  to: AliasState,
): Promise<void> {
  const mlflow = mlflowOf(deps);
  const { champion = null, previous = null } = await mlflow.aliases(model);
  if (champion !== from.champion && champion !== to.champion) {
    throw new DatalabError(
      'MODEL_ALIAS_MOVED',
      `the champion of '${model}' is version ${champion ?? 'none'}, not ${from.champion ?? 'none'}`,
    );
  }
  if (previous !== to.previous) await mlflow.setAlias(model, 'previous', to.previous);
  if (champion !== to.champion) await mlflow.setAlias(model, 'champion', to.champion);
  // So that what is put back is served at once, too. Whether it is served is for `verifyChampion` to say.
  await deps.modelServer?.reload(model).catch(() => undefined);
}

export async function verifyChampion(deps: TrainingDeps, model: string, version: string): Promise<void> {
  const { champion } = await mlflowOf(deps).aliases(model);
  if (champion !== version)
    throw new DatalabError(
      'MODEL_ALIAS_MOVED',
      `the champion of '${model}' is version ${champion ?? 'none'}, not ${version}`,
    );
  await predictStored(deps, model, version);
  const served = await deps.modelServer?.reload(model);
  if (served && served.version !== version)
    throw new DatalabError(
      'MODEL_SERVER_BEHIND',
      `the model server answers with version ${served.version ?? 'none'} of '${model}', not ${version}: ${served.problem ?? 'it gives no reason'}`,
    );
}
