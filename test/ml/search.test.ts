/** A search among parameters: a seeded choice of the grid, ended by its time, and what was left out is said. */
import { expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import type { CandidateDefinition } from '../../src/contracts/model.js';
import { combinations } from '../../src/ml/candidates.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { seeded } from '../../src/ml/random.js';
import { trainCandidate } from '../../src/ml/train.js';

const DAY_MS = 86_400_000;
const PENALTIES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const ROWS = 400;

const model = parseModel('d', 'm', {
  ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric: 'rmse', seed: 5 },
  target: { expression: 'v', horizon: 1, kind: 'regression' },
  features: [{ name: 'a' }, { name: 'b' }],
  candidates: [{ kind: 'linear', parameters: { l2: PENALTIES }, search: { trials: 6, seconds: 60 } }],
  baselines: [{ kind: 'constant' }],
});
const candidate = model.candidates[0] as CandidateDefinition;

const random = seeded(3);
const x = Float32Array.from({ length: ROWS * 2 }, () => random() * 2 - 1);
const data = {
  ...{ names: ['a', 'b'], rows: ROWS, x, baselines: {}, keys: Array<string>(ROWS).fill('["k"]') },
  y: Float64Array.from({ length: ROWS }, (_, row) => 3 * (x[row * 2] ?? 0) + random()),
  time: Float64Array.from({ length: ROWS }, (_, row) => row * DAY_MS),
  targetTime: Float64Array.from({ length: ROWS }, (_, row) => (row + 1) * DAY_MS),
};

/** Trains by a clock that moves on by so much with every look at it. */
function train(stepMs: number) {
  let now = 0;
  const nowMs = (): number => (now += stepMs);
  const { trained, booster } = trainCandidate(ownEngine, data, model, candidate, {
    ...{ nowMs, progress: () => undefined },
  });
  booster.close();
  return trained;
}

it('tries so many combinations as it was told, the same ones for one seed and others for another', () => {
  const chosen = combinations(candidate, 5);
  expect(chosen).toHaveLength(6);
  expect(new Set(chosen.map(({ l2 }) => l2)).size).toBe(6);
  for (const { l2 } of chosen) expect(PENALTIES).toContain(l2);
  expect(combinations(candidate, 5)).toEqual(chosen);
  expect([6, 7, 8].map((seed) => combinations(candidate, seed))).not.toEqual([chosen, chosen, chosen]);
  const { tried, leftOut } = train(0);
  expect({ tried, leftOut }).toEqual({ tried: 6, leftOut: 0 });
});

it('ends when its time is over, says what it left out, and has tried one at least', () => {
  // The first look fixes the end of 60 s; each further one, before another combination, is 25 s later.
  const { tried, leftOut, parameters } = train(25_000);
  expect({ tried, leftOut }).toEqual({ tried: 3, leftOut: 3 });
  expect(combinations(candidate, 5).slice(0, 3)).toContainEqual(parameters);
  expect(train(3_600_000)).toMatchObject({ tried: 1, leftOut: 5 });
});
