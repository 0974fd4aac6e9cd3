/** The shipped models on the shipped data: volatility can be forecast, direction cannot, and training repeats to the byte. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openXgboost } from '../../src/connectors/xgboost/engine.js';
import type { Evaluation } from '../../src/contracts/training.js';
import { evaluate } from '../../src/ml/evaluate.js';
import { passGate } from '../../src/ml/gate.js';
import { decodeRows, encodeRows } from '../../src/ml/matrix.js';
import { trainCandidate } from '../../src/ml/train.js';
import { collectFrom, shippedModel, withGold, XGBOOST } from './lab.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const quiet = { nowMs: () => 0, progress: () => undefined };
const MINUTES_3 = { timeout: 180_000 };

async function train(name: string): Promise<Evaluation> {
  const model = await shippedModel(name);
  const { data } = await withGold((session) => collectFrom(session, model));
  const engine = openXgboost(XGBOOST ?? '');
  const candidates = model.candidates.map((candidate) => {
    const { trained, booster } = trainCandidate(engine, data, model, candidate, quiet);
    const json = Buffer.from(booster.save('json')).toString();
    booster.close();
    return { trained, json };
  });
  return evaluate({ engine, data, model, candidates, champion: null, progress: () => undefined });
}

describe.skipIf(XGBOOST === undefined)('shipped models', () => {
  it('next_day_volatility beats the least-squares fit and passes its gate', MINUTES_3, async () => {
    const evaluation = await train('next_day_volatility');
    const model = await shippedModel('next_day_volatility');
    const squares = evaluation.baselines.find(({ name }) => name === 'least_squares');
    expect(evaluation.metrics['rmse']).toBeLessThan(squares?.metrics['rmse'] ?? 0);
    expect(evaluation.metrics['rmse']).toBeLessThan(0.391);
    expect(evaluation.parity).toBeLessThan(1e-5);
    expect(passGate(model.gate, evaluation, { leaks: [], championSchema: true }).reasons).toEqual([]);
  });

  it('next_day_direction is refused', MINUTES_3, async () => {
    const evaluation = await train('next_day_direction');
    const model = await shippedModel('next_day_direction');
    const gate = passGate(model.gate, evaluation, { leaks: [], championSchema: true });
    expect(gate.passed).toBe(false);
    expect(gate.reasons.join()).toMatch(/baseline: roc_auc/);
  });

  it('train the same bytes from the same rows', MINUTES_3, async () => {
    const model = await shippedModel('next_day_volatility');
    const collected = await Promise.all([0, 1].map(() => withGold((session) => collectFrom(session, model))));
    const files = collected.map(({ data }) => encodeRows(data));
    expect(files.map(sha256)[0]).toBe(files.map(sha256)[1]);
    const engine = openXgboost(XGBOOST ?? '');
    const grids: Record<string, Record<string, number[]>> = {
      linear: { l2: [1] },
      boosting: { rounds: [20], subsample: [0.7] },
    };
    for (const kind of ['linear', 'boosting'] as const) {
      const candidate = { name: kind, kind, grid: grids[kind] ?? {} };
      const models = files.map((file) => {
        const { booster } = trainCandidate(engine, decodeRows(file), model, candidate, quiet);
        return sha256(booster.save('ubj'));
      });
      expect(models[0]).toBe(models[1]);
    }
  });
});
