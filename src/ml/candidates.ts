/** A candidate's ways of training, and how XGBoost is told about one of them. */
import {
  outputsOf,
  type CandidateDefinition,
  type CandidateKind,
  type TargetDefinition,
} from '../contracts/model.js';
import type { Parameters } from '../contracts/training.js';
import { fitLinear } from './linear.js';
import type { Booster, BoosterEngine, TrainData } from './engine.js';
import { seeded, shuffled } from './random.js';
import { fitSoftmax } from './softmax.js';

/** All combinations of the grid, or a seeded choice among them, always in the same order. */
export function combinations({ grid, search }: CandidateDefinition, seed: number): Parameters[] {
  const names = Object.keys(grid).sort();
  const all = names.reduce<Array<Record<string, number>>>(
    (made, name) => made.flatMap((one) => (grid[name] ?? []).map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
  if (!search || search.trials >= all.length) return all;
  const chosen = shuffled(all.length, seeded(seed)).slice(0, search.trials);
  return chosen.sort((left, right) => left - right).map((index) => all[index] ?? {});
}

const OBJECTIVES = {
  regression: 'reg:squarederror',
  binary: 'binary:logistic',
  multiclass: 'multi:softprob',
} as const;

/** Trains one booster. A linear model is solved here and handed to the library as one that it knows. */
export function trainOne(
  engine: BoosterEngine,
  kind: CandidateKind,
  target: Pick<TargetDefinition, 'kind' | 'classes'>,
  parameters: Parameters,
  data: TrainData,
  seed: number,
  onRound: (round: number) => void,
): Booster {
  const objective = OBJECTIVES[target.kind];
  const { kind: targetKind } = target;
  const classes = targetKind === 'multiclass' ? outputsOf(target) : 0;
  // One thread: the sums of several would come in another order each time.
  const common = {
    ...{ objective, seed: String(seed), nthread: '1', verbosity: '0' },
    ...(classes > 0 && { num_class: String(classes) }),
  };
  if (kind === 'linear') {
    onRound(0);
    const y = Float64Array.from(data.y);
    const l2 = parameters['l2'] ?? 1;
    const { weights } =
      targetKind === 'multiclass'
        ? fitSoftmax(data.x, y, data.names.length, l2, classes)
        : fitLinear(data.x, y, data.names.length, l2, targetKind);
    return engine.load(linearJson(weights, data.names, objective, classes));
  }
  const { rounds = 1, trees = 1, ...rest } = parameters;
  const given = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
  const grown = { ...common, tree_method: 'hist', ...given };
  if (kind === 'forest')
    return engine.train({ ...grown, num_parallel_tree: String(trees), eta: '1' }, data, 1, onRound);
  return engine.train(grown, data, rounds, onRound);
}

/** A linear model as XGBoost's own JSON. Its base is zero: the intercept is in the weights. */
function linearJson(
  weights: Float32Array,
  names: readonly string[],
  objective: (typeof OBJECTIVES)[keyof typeof OBJECTIVES],
  classes: number,
): string {
  const base = objective === 'binary:logistic' ? '5E-1' : '0E0';
  return JSON.stringify({
    learner: {
      attributes: {},
      feature_names: names,
      feature_types: names.map(() => 'float'),
      gradient_booster: {
        model: { boosted_rounds: 1, weights: Array.from(weights) },
        name: 'gblinear',
      },
      learner_model_param: {
        base_score: base,
        boost_from_average: '1',
        num_class: String(classes),
        num_feature: String(names.length),
        num_target: '1',
      },
      objective:
        objective === 'multi:softprob'
          ? { name: objective, softmax_multiclass_param: { num_class: String(classes) } }
          : { name: objective, reg_loss_param: { scale_pos_weight: '1' } },
    },
    version: [3, 2, 0],
  });
}
