/** The steps of models, over ports that the composition root fills in. */
import type { DeploymentActivities, TrainingActivities } from '../../contracts/ml-flows.js';
import { toFailure } from '../failure.js';
import { LakeTables } from '../tables.js';
import { readAliases, smokeTest, switchAlias, verifyChampion } from './deploy.js';
import type { TrainingDeps } from './deps.js';
import { buildFeatures, planTraining } from './features.js';
import { endTraining, findIdentical, registerModel, tagDecision } from './register.js';
import { evaluateModel, trainCandidate } from './train.js';

/** All steps of training and deployment, every one of which fails with a code. */
export function createTrainingActivities(deps: TrainingDeps): TrainingActivities & DeploymentActivities {
  const { engine, clock, newId, scratchDirectory } = deps;
  const tables = new LakeTables(deps.lake, { engine, clock, newId, scratchDirectory });
  const coded =
    <Args extends readonly unknown[], Result>(body: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      body(...args).catch((error: unknown) => {
        throw toFailure(error);
      });
  return {
    planTraining: coded((run, options) => planTraining(deps, tables, run, options)),
    buildFeatures: coded((run) => buildFeatures(deps, tables, run)),
    findIdentical: coded((run, identity) => findIdentical(deps, run, identity)),
    trainCandidate: coded((run, features, name) => trainCandidate(deps, run, features, name)),
    evaluateModel: coded((run, features, trained) => evaluateModel(deps, run, features, trained)),
    registerModel: coded((run, features, trained, judged) =>
      registerModel(deps, run, features, trained, judged),
    ),
    tagDecision: coded((run, version, decision, reasons) =>
      tagDecision(deps, run, version, decision, reasons),
    ),
    endTraining: coded((run, status) => endTraining(deps, run, status)),
    readAliases: coded((input) => readAliases(deps, input)),
    smokeTest: coded((model, version) => smokeTest(deps, model, version)),
    switchAlias: coded((model, from, to) => switchAlias(deps, model, from, to)),
    verifyChampion: coded((model, version) => verifyChampion(deps, model, version)),
  };
}
