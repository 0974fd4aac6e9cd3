/** The steps of models, over ports that the composition root fills in. */
import type { DeploymentActivities, TrainingActivities } from '../../contracts/ml-flows.js';
import type { WatchActivities } from '../../contracts/model-watch.js';
import { withFailures } from '../failure.js';
import { whileBeating } from '../step.js';
import { LakeTables } from '../tables.js';
import { readAliases, smokeTest, switchAlias, verifyChampion } from './deploy.js';
import type { TrainingDeps } from './deps.js';
import { buildFeatures, planTraining } from './features.js';
import { measureModels } from './measure-models.js';
import { endTraining, findIdentical, registerModel, tagDecision } from './register.js';
import { takePredictions } from './take-predictions.js';
import { evaluateModel, trainCandidate } from './train.js';

/** All steps of training, deployment and watching, every one of which fails with a code. */
export function createTrainingActivities(
  deps: TrainingDeps,
): TrainingActivities & DeploymentActivities & WatchActivities {
  const { engine, clock, newId, scratchDirectory } = deps;
  const tables = new LakeTables(deps.lake, { engine, clock, newId, scratchDirectory });
  return withFailures({
    planTraining: (run, options) => planTraining(deps, tables, run, options),
    buildFeatures: (run) => buildFeatures(deps, tables, run),
    findIdentical: (run, identity) => whileBeating(() => findIdentical(deps, run, identity)),
    trainCandidate: (run, features, name) => trainCandidate(deps, run, features, name),
    evaluateModel: (run, features, trained) => evaluateModel(deps, run, features, trained),
    registerModel: (run, features, trained, judged) => registerModel(deps, run, features, trained, judged),
    tagDecision: (run, version, decision, reasons) =>
      whileBeating(() => tagDecision(deps, run, version, decision, reasons)),
    endTraining: (run, status) => endTraining(deps, run, status),
    takePredictions: () => takePredictions(deps, tables),
    measureModels: (at, scheduled) => measureModels(deps, tables, at, scheduled),
    readAliases: (input) => whileBeating(() => readAliases(deps, input)),
    smokeTest: (model, version) => whileBeating(() => smokeTest(deps, model, version)),
    switchAlias: (model, from, to) => whileBeating(() => switchAlias(deps, model, from, to)),
    verifyChampion: (model, version) => whileBeating(() => verifyChampion(deps, model, version)),
  });
}
