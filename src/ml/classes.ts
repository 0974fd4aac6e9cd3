/** How good probabilities of several classes are. Rows say one class each, predictions one probability per class. */

type Values = Float64Array | readonly number[];

/** The place of the greatest of `count` values from `at` on; the first of equals. */
export function likeliest(values: ArrayLike<number>, at: number, count: number): number {
  let best = 0;
  for (let place = 1; place < count; place += 1)
    if ((values[at + place] ?? 0) > (values[at + best] ?? 0)) best = place;
  return best;
}

/** How many rows of each class (first) were said to be which (second). */
export function confusionOf(truth: Values, predicted: Values, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < truth.length; row += 1) {
    const said = likeliest(predicted, row * classes, classes);
    const line = counts[truth[row] ?? -1];
    if (line) line[said] = (line[said] ?? 0) + 1;
  }
  return counts;
}

/**
 * Means over classes leave out those that neither occur nor are said, and of areas those of which the rows hold all or
 * nothing.
 */
export function multiclass(truth: Values, predicted: Values): Record<string, number> {
  const rows = truth.length;
  const classes = predicted.length / rows;
  const counts = confusionOf(truth, predicted, classes);
  const each = counts.map((line, place) => {
    const right = line[place] ?? 0;
    const [occurs, said] = [sum(line), sum(counts.map((other) => other[place] ?? 0))];
    const precision = said === 0 ? 0 : right / said;
    const recall = occurs === 0 ? 0 : right / occurs;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { counts: occurs + said > 0, right, precision, recall, f1 };
  });
  const macro = (name: 'precision' | 'recall' | 'f1'): number =>
    mean(each.filter((one) => one.counts).map((one) => one[name]));
  let loss = 0;
  let brier = 0;
  for (let row = 0; row < rows; row += 1)
    for (let place = 0; place < classes; place += 1) {
      const chance = predicted[row * classes + place] ?? NaN;
      const happened = truth[row] === place ? 1 : 0;
      if (happened) loss -= Math.log(Math.min(1, Math.max(1e-15, chance)));
      brier += (chance - happened) ** 2;
    }
  return {
    accuracy: sum(each.map(({ right }) => right)) / rows,
    macro_precision: macro('precision'),
    macro_recall: macro('recall'),
    macro_f1: macro('f1'),
    macro_roc_auc: mean(
      each
        .map((_, place) => areaOf(truth, predicted, place, classes))
        .filter((area): area is number => area !== null),
    ),
    log_loss: loss / rows,
    brier: brier / rows,
  };
}

/** Area under the ROC curve of one class against the rest; null where there is only one of both. */
function areaOf(truth: Values, predicted: Values, place: number, classes: number): number | null {
  const chance = (row: number): number => predicted[row * classes + place] ?? 0;
  const order = Array.from(truth, (_, row) => row).sort((a, b) => chance(a) - chance(b));
  let ranks = 0;
  let positives = 0;
  for (let at = 0; at < order.length;) {
    const first = at;
    let here = 0;
    // Rows with equal chances share the mean of their ranks.
    const value = chance(order[at] ?? 0);
    for (; at < order.length && chance(order[at] ?? 0) === value; at += 1)
      if (truth[order[at] ?? 0] === place) here += 1;
    ranks += here * ((first + 1 + at) / 2);
    positives += here;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return null;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** NaN of nothing, which no metric keeps. */
const mean = (values: readonly number[]): number => sum(values) / values.length;
