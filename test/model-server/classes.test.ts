/** The model server and a target of several classes: what is answered, what is kept of it, what is refused. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PREDICTIONS_INBOX, type PredictionRecord } from '../../src/contracts/serving.js';
import { chancesAt, CLASSES, classesJson, ServingLab } from './lab.js';

let lab: ServingLab;
beforeEach(() => {
  lab = new ServingLab();
});
afterEach(() => lab.server.close());

type Answer = { prediction: number; class: string; probabilities: Record<string, number> };

function expectChances(answer: Answer | undefined, price: number): void {
  const wanted = chancesAt(price);
  CLASSES.forEach((name, place) => expect(answer?.probabilities[name]).toBeCloseTo(wanted[place] ?? NaN, 6));
}

it('answers by row and by key with the likeliest class and the probability of each, and keeps them in their order', async () => {
  await lab.gold([
    { symbol: 'A', date: '2024-01-01', price: 1 },
    { symbol: 'A', date: '2024-01-02', price: 3 },
  ]);
  await lab.promote(await lab.classesVersion());
  await lab.start();
  expect((await lab.ask('/models')).body['models']).toMatchObject([
    { model: 'demand', kind: 'multiclass', classes: CLASSES, parity: { rows: 1 }, problem: null },
  ]);
  const { body } = await lab.predict({
    rows: [
      { price: 4, price_lag_1: 0 },
      { price: -1, price_lag_1: 0 },
    ],
  });
  const byRow = body['predictions'] as Answer[];
  expect(byRow).toMatchObject([
    { prediction: 0, class: 'up' },
    { prediction: 2, class: '1' },
  ]);
  expectChances(byRow[0], 4);
  expectChances(byRow[1], -1);
  const byKey = (await lab.predict({ keys: [{ symbol: 'A' }] })).body['predictions'] as Answer[];
  expect(byKey).toMatchObject([{ class: 'up', time: '2024-01-02T00:00:00.000Z', key: { symbol: 'A' } }]);
  expectChances(byKey[0], 3);

  await lab.server.close();
  const kept: PredictionRecord[] = [];
  for await (const { key } of lab.store.list(PREDICTIONS_INBOX))
    for (const line of Buffer.from(await lab.store.get(key))
      .toString()
      .trim()
      .split('\n'))
      kept.push(JSON.parse(line) as PredictionRecord);
  expect(kept.map(({ prediction, key }) => [prediction, key])).toEqual([
    [0, null],
    [2, null],
    [0, '["A"]'],
  ]);
  [4, -1, 3].forEach((price, at) =>
    chancesAt(price).forEach((chance, place) =>
      expect(kept[at]?.probabilities?.[place]).toBeCloseTo(chance, 6),
    ),
  );
});

it('does not serve a version whose stored probabilities are others, nor one whose classes are', async () => {
  await lab.promote(await lab.classesVersion([0.1, 0.2, 0.7]));
  await lab.start();
  const problem = async (): Promise<unknown> =>
    ((await lab.ask('/models')).body['models'] as Array<{ version: unknown; problem: unknown }>)[0];
  expect(await problem()).toMatchObject({
    ...{ version: null, problem: expect.stringMatching(/predicts 0\.86.* where 0\.1 is stored/) as unknown },
  });
  const source = 'mlflow-artifacts:/1/classes/artifacts/model';
  const broken = JSON.parse(classesJson) as { learner: { learner_model_param: { num_class: string } } };
  broken.learner.learner_model_param.num_class = '1';
  await lab.mlflow.putArtifact(source, 'model.json', JSON.stringify(broken));
  await lab.ask('/models/demand/reload', {});
  expect(await problem()).toMatchObject({
    ...{ version: null, problem: expect.stringMatching(/num_class is 1/) as unknown },
  });
});
