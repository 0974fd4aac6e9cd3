/** Predictions without the native library: an XGBoost model in JSON, walked in single precision as the library does. */
import { z } from 'zod';
import { DatalabError } from '../contracts/errors.js';
import { likeliest } from './classes.js';

const tree = z.object({
  left_children: z.array(z.number().int()),
  right_children: z.array(z.number().int()),
  split_indices: z.array(z.number().int().nonnegative()),
  split_conditions: z.array(z.number()),
  default_left: z.array(z.union([z.number(), z.boolean()])),
});
const booster = z.union([
  z.object({
    name: z.literal('gbtree'),
    model: z.object({ trees: z.array(tree), tree_info: z.array(z.number().int()).optional() }),
  }),
  z.object({ name: z.literal('gblinear'), model: z.object({ weights: z.array(z.number()) }) }),
]);
const document = z.object({
  learner: z.object({
    feature_names: z.array(z.string()),
    gradient_booster: booster,
    learner_model_param: z.object({ base_score: z.string(), num_class: z.string().default('0') }),
    objective: z.object({ name: z.enum(['reg:squarederror', 'binary:logistic', 'multi:softprob']) }),
  }),
});

export interface Predictor {
  readonly featureNames: readonly string[];
  /** Numbers that the library says of a row: one, or the probability of each class. */
  readonly outputs: number;
  /** One prediction from `row[offset]` on; NaN is a missing value. Of several classes the place of the likeliest. */
  predict(row: Float32Array, offset?: number): number;
  /** The same as the library says it: that number, or the probability of each class. */
  scores(row: Float32Array, offset?: number): ArrayLike<number>;
}

/** What the library says of every row, one after another. */
export function scoreAll(predictor: Predictor, x: Float32Array): Float64Array {
  const { outputs, featureNames } = predictor;
  const rows = x.length / featureNames.length;
  const all = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row += 1)
    all.set(predictor.scores(x, row * featureNames.length), row * outputs);
  return all;
}

/** Reads a model. Throws MODEL_UNREADABLE for one that is of another kind, or whose trees lead nowhere. */
export function openPredictor(json: string): Predictor {
  const parsed = document.safeParse(parse(json));
  if (!parsed.success)
    throw unreadable(
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    );
  const {
    feature_names: featureNames,
    gradient_booster: made,
    learner_model_param,
    objective,
  } = parsed.data.learner;
  if (objective.name === 'multi:softprob') return softmaxPredictor(featureNames, made, learner_model_param);
  const start = Number.parseFloat(learner_model_param.base_score.replace(/[[\]]/g, ''));
  if (!Number.isFinite(start)) throw unreadable(`base_score is ${learner_model_param.base_score}`);
  const isLogistic = objective.name === 'binary:logistic';
  const base = Math.fround(isLogistic ? Math.log(start / (1 - start)) : start);
  const margin =
    made.name === 'gbtree'
      ? treeMargin(made.model.trees, featureNames.length)
      : linearMargin(made.model.weights, featureNames.length);
  const predict = (row: Float32Array, offset = 0): number => {
    const value = margin(row, offset, base);
    return isLogistic ? Math.fround(1 / (1 + Math.exp(-value))) : value;
  };
  return { featureNames, outputs: 1, predict, scores: (row, offset) => [predict(row, offset)] };
}

/** One margin per class, made to probabilities as the library does: less the greatest, exponentiated, in shares of their sum. */
function softmaxPredictor(
  featureNames: readonly string[],
  made: z.output<typeof booster>,
  { base_score, num_class }: { readonly base_score: string; readonly num_class: string },
): Predictor {
  const outputs = Number(num_class);
  const starts = base_score.replace(/[[\]]/g, '').split(',').map(Number);
  if (!Number.isInteger(outputs) || outputs < 2 || starts.some((start) => !Number.isFinite(start)))
    throw unreadable(`num_class is ${num_class}, base_score ${base_score}`);
  const bases = Array.from({ length: outputs }, (_, place) => Math.fround(starts[place] ?? starts[0] ?? 0));
  const margins = marginsOf(made, featureNames.length, outputs);
  const scores = (row: Float32Array, offset = 0): Float32Array => {
    const said = Float32Array.from(margins, (margin, place) => margin(row, offset, bases[place] ?? 0));
    const greatest = said.reduce((most, value) => Math.max(most, value), -Infinity);
    let sum = 0;
    for (let place = 0; place < outputs; place += 1) {
      said[place] = Math.exp(Math.fround((said[place] ?? 0) - greatest));
      sum += said[place] ?? 0;
    }
    return said.map((value) => value / Math.fround(sum));
  };
  return {
    ...{ featureNames, outputs, scores },
    predict: (row, offset) => likeliest(scores(row, offset), 0, outputs),
  };
}

/** The margin of each class: its own trees, or its own column of the weights. */
function marginsOf(made: z.output<typeof booster>, width: number, outputs: number): Margin[] {
  const places = Array.from({ length: outputs }, (_, place) => place);
  if (made.name === 'gblinear') {
    const { weights } = made.model;
    if (weights.length !== (width + 1) * outputs)
      throw unreadable(`${weights.length} weights for ${width} features and ${outputs} classes`);
    return places.map((place) =>
      linearMargin(
        weights.filter((_, at) => at % outputs === place),
        width,
      ),
    );
  }
  const { trees, tree_info: classOf = [] } = made.model;
  if (classOf.length !== trees.length || classOf.some((place) => place < 0 || place >= outputs))
    throw unreadable('the trees do not say of which class they are');
  return places.map((place) =>
    treeMargin(
      trees.filter((_, at) => classOf[at] === place),
      width,
    ),
  );
}

type Margin = (row: Float32Array, offset: number, base: number) => number;

/**
 * A node is three words: the value below which a row goes to the left, or what a leaf says; how far on its left child is, none of a
 * leaf; and twice the feature that is looked at, and one more where a missing value goes to the left. The right child is beside
 * the left one, and all trees lie in one piece, level by level: what a walk costs is the places of memory that it has to fetch.
 */
const WORDS = 3;

function treeMargin(trees: ReadonlyArray<z.output<typeof tree>>, width: number): Margin {
  const orders = trees.map((one) => levelOrder(one, width));
  const words = new Int32Array(orders.reduce((sum, { length }) => sum + length, 0) * WORDS);
  const values = new Float32Array(words.buffer);
  const roots = new Int32Array(trees.length);
  let next = 0;
  trees.forEach((one, at) => {
    roots[at] = next;
    let free = next + WORDS;
    for (const node of orders[at] ?? []) {
      const isLeaf = one.left_children[node] === -1;
      values[next] = one.split_conditions[node] ?? 0;
      words[next + 1] = isLeaf ? 0 : free - next;
      words[next + 2] = (one.split_indices[node] ?? 0) * 2 + Number(one.default_left[node]);
      if (!isLeaf) free += 2 * WORDS;
      next += WORDS;
    }
  });
  return (row, offset, base) => {
    let sum = base;
    for (let at = 0; at < roots.length; at += 1) {
      let node = roots[at] ?? 0;
      for (let step = words[node + 1] ?? 0; step !== 0; step = words[node + 1] ?? 0) {
        const by = words[node + 2] ?? 0;
        const value = row[offset + (by >> 1)] ?? NaN;
        const goesLeft = Number.isNaN(value) ? (by & 1) === 1 : value < (values[node] ?? 0);
        node += goesLeft ? step : step + WORDS;
      }
      sum = Math.fround(sum + (values[node] ?? 0));
    }
    return sum;
  };
}

/** The nodes that a walk can reach, level by level, both children of a node side by side. */
function levelOrder(one: z.output<typeof tree>, width: number): number[] {
  checkTree(one, width);
  const order = [0];
  for (let place = 0; place < order.length; place += 1) {
    const node = order[place] ?? 0;
    const left = one.left_children[node] ?? -1;
    if (left !== -1) order.push(left, one.right_children[node] ?? 0);
    if (order.length > one.left_children.length) throw unreadable('a tree comes to a node twice');
  }
  return order;
}

function checkTree(one: z.output<typeof tree>, width: number): void {
  const nodes = one.left_children.length;
  const sizes = [one.right_children, one.split_indices, one.split_conditions, one.default_left];
  if (nodes === 0 || sizes.some((list) => list.length !== nodes))
    throw unreadable('a tree has lists of different lengths');
  for (let node = 0; node < nodes; node += 1) {
    const children = [one.left_children[node] ?? -1, one.right_children[node] ?? -1];
    // Children come after their parent, so that every walk ends.
    const isLeaf = children[0] === -1;
    if (!isLeaf && !children.every((child) => child > node && child < nodes))
      throw unreadable('a tree leads out of itself');
    if (!isLeaf && (one.split_indices[node] ?? width) >= width)
      throw unreadable('a tree asks for a feature that there is not');
  }
}

function linearMargin(weights: readonly number[], width: number): Margin {
  if (weights.length !== width + 1) throw unreadable(`${weights.length} weights for ${width} features`);
  const flat = Float32Array.from(weights);
  return (row, offset, base) => {
    let sum = Math.fround(base + (flat[width] ?? 0));
    for (let i = 0; i < width; i += 1) {
      const value = row[offset + i] ?? NaN;
      if (!Number.isNaN(value)) sum = Math.fround(sum + Math.fround(value * (flat[i] ?? 0)));
    }
    return sum;
  };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw unreadable((error as Error).message);
  }
}

function unreadable(why: string): DatalabError {
  return new DatalabError('MODEL_UNREADABLE', `the model cannot be read: ${why.slice(0, 500)}`);
}
