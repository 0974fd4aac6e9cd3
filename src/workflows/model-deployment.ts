/**
 * Makes one version of a model the champion, or puts everything back.
 *
 * Guarantees: at its end the champion is the version asked for, tried before and after the switch, or what it was before.
 * Deployments of one model share a workflow id, so Temporal runs one at a time; MLflow itself cannot compare and set.
 */
import { ApplicationFailure, CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { AliasState, Deployed, DeploymentActivities, DeploymentInput } from '../contracts/ml-flows.js';
import { activityOptions, DEPLOY, LIGHT } from './policies.js';
import { parseDeployment } from './training-input.js';

export async function modelDeployment(given: DeploymentInput): Promise<Deployed> {
  const input = parseDeployment(given);
  const { model } = input;
  const tried = proxyActivities<DeploymentActivities>(activityOptions('ml', DEPLOY));
  // Putting back is tried for as long as a record of a run is.
  const patient = proxyActivities<DeploymentActivities>(activityOptions('ml', LIGHT));

  const { champion, previous, version } = await tried.readAliases(input);
  if (input.expect !== undefined && input.expect !== champion) {
    throw ApplicationFailure.nonRetryable(
      `the champion of '${model}' is version ${champion ?? 'none'}, not ${input.expect ?? 'none'} any more`,
      'MODEL_ALIAS_MOVED',
    );
  }
  const before: AliasState = { champion, previous };
  if (champion === version) {
    await tried.verifyChampion(model, version);
    return { model, version, from: champion };
  }
  await tried.smokeTest(model, version);
  const after: AliasState = { champion: version, previous: champion };
  try {
    await tried.switchAlias(model, before, after);
    await tried.verifyChampion(model, version);
  } catch (error) {
    // Also when it is being cancelled: what was begun is put back.
    await CancellationScope.nonCancellable(() => patient.switchAlias(model, after, before));
    throw error;
  }
  return { model, version, from: champion };
}
