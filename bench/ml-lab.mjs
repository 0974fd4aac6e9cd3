/** What the benchmarks of models share: the definition, the generated rows, and the count of a process's processor time. */
import { readFileSync } from 'node:fs';
import { parseModel } from '../dist/config/model.js';
import { seeded } from '../dist/ml/random.js';

export const WIDTH = 20;

export const model = parseModel('bench', 'bench', {
  ...{ name: 'bench', table: 't', keys: ['k'], time: 'time', metric: 'roc_auc', missing: 'keep' },
  target: { expression: 'y', kind: 'binary' },
  features: Array.from({ length: WIDTH }, (_, index) => ({ name: `f${index}` })),
  splits: { folds: 4, holdout: 0.2 },
  candidates: [
    { kind: 'linear', parameters: { l2: 1 } },
    { kind: 'forest', parameters: { trees: 100, max_depth: 8 } },
    { kind: 'boosting', parameters: { rounds: 100, max_depth: 6, eta: 0.1 } },
  ],
  baselines: [{ kind: 'majority' }],
});

/** Normal features, some missing; a target that trees learn better than a line does. */
export function generate(rows) {
  const random = seeded(42);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const x = Float32Array.from({ length: rows * WIDTH }, normal);
  const y = Float64Array.from({ length: rows }, (_, row) => {
    const f = (index) => x[row * WIDTH + index];
    const margin = f(0) + 0.7 * f(1) * f(2) + Math.sin(2 * f(3)) - 0.5 * f(4) ** 2 + 0.5 + normal();
    return margin > 0 ? 1 : 0;
  });
  for (let row = 0; row < rows; row += 1) if (random() < 0.02) x[row * WIDTH + 8] = NaN;
  const time = Float64Array.from({ length: rows }, (_, row) => Math.floor(row / 10) * 60_000);
  const targetTime = Float64Array.from(time, (at) => at + 1);
  const names = model.features.map(({ name }) => name);
  return { names, rows, x, y, time, targetTime, keys: Array(rows).fill('["k"]'), baselines: {} };
}

/** Processor seconds of a process and, with `ended`, of its children that came to their end. */
export function cpuSeconds(pid, { ended }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map((ticks) => Number(ticks) / 100);
  return ended ? childUser + childSystem : user + system;
}
