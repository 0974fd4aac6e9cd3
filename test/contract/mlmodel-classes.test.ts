/**
 * Models of several classes beside Python: what `mlflow.pyfunc` says of their files, scikit-learn's figures of the same
 * probabilities, and its multinomial regression on the same rows.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openXgboost } from '../../src/connectors/xgboost/engine.js';
import { trainOne } from '../../src/ml/candidates.js';
import { confusionOf } from '../../src/ml/classes.js';
import type { Booster } from '../../src/ml/engine.js';
import { measure } from '../../src/ml/metrics.js';
import { mlflowFiles } from '../../src/ml/mlmodel.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { openPredictor, scoreAll } from '../../src/ml/predictor.js';
import { seeded } from '../../src/ml/random.js';
import { readSettings } from '../../src/platform/settings.js';
import { locateMlflow } from '../../src/platform/tools.js';
import { XGBOOST } from '../ml/lab.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { runCommand } from '../support/worker-process.js';

const PYTHON = `
import json, sys, mlflow, numpy, pandas
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
asked = json.load(open(sys.argv[2]))
y = numpy.array(asked["y"])
frame = pandas.DataFrame(asked["x"], columns=asked["names"]).astype("float64")
said = numpy.asarray(mlflow.pyfunc.load_model(sys.argv[1]).predict(frame), dtype="float64")
classes = list(range(asked["classes"]))
chosen = said.argmax(axis=1)
figures = {
  "accuracy": metrics.accuracy_score(y, chosen),
  "macro_precision": metrics.precision_score(y, chosen, average="macro", zero_division=0),
  "macro_recall": metrics.recall_score(y, chosen, average="macro", zero_division=0),
  "macro_f1": metrics.f1_score(y, chosen, average="macro", zero_division=0),
  "macro_roc_auc": metrics.roc_auc_score(y, said / said.sum(axis=1, keepdims=True), multi_class="ovr", average="macro", labels=classes),
  "log_loss": metrics.log_loss(y, said / said.sum(axis=1, keepdims=True), labels=classes),
}
line = make_pipeline(StandardScaler(), LogisticRegression(C=1 / asked["l2"], max_iter=10000, tol=1e-10)).fit(asked["x"], y)
print(json.dumps({
  "said": said.tolist(), "figures": figures,
  "confusion": metrics.confusion_matrix(y, chosen, labels=classes).tolist(),
  "line": line.predict_proba(asked["x"]).tolist(),
}))
`;

interface Said {
  readonly said: number[][];
  readonly figures: Record<string, number>;
  readonly confusion: number[][];
  readonly line: number[][];
}

const NAMES = ['a', 'b', 'c', 'd'];
const CLASSES = ['cold', 'mild', 'hot'];
const ROWS = 400;
const L2 = 2;
const random = seeded(31);
const x = Float32Array.from({ length: ROWS * 4 }, (_, at) => (random() - 0.5) * 10 ** (at % 3));
const y = Float32Array.from({ length: ROWS }, (_, row) => {
  const value = 3 * (x[row * 4] as number) + 0.3 * (x[row * 4 + 1] as number) + 2 * random() - 1;
  return value > 0.8 ? 2 : value > -0.5 ? 1 : 0;
});

async function askPython(booster: Booster, format: 'ubj' | 'json'): Promise<Said> {
  const files = mlflowFiles({
    ...{ stored: { format, bytes: booster.save(format) }, featureNames: NAMES, outputs: 3, runId: 'r' },
    ...{ createdAt: '2026-01-01T00:00:00Z', example: { a: 1, b: 2, c: 3, d: null } },
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'datalab-classes-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
    const rows = Array.from({ length: ROWS }, (_, row) => [...x.slice(row * 4, row * 4 + 4)]);
    const asked = { names: NAMES, x: rows, y: [...y], classes: CLASSES.length, l2: L2 };
    await writeFile(path.join(folder, 'asked.json'), JSON.stringify(asked));
    await writeFile(path.join(folder, 'ask.py'), PYTHON);
    const { code, stdout, stderr } = await runCommand(
      locateMlflow(readSettings(process.env)),
      [path.join(folder, 'ask.py'), folder, path.join(folder, 'asked.json')],
      { MLFLOW_DISABLE_TELEMETRY: 'true' },
    );
    expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Said;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.skipIf(MLFLOW_MISSING)(`a model of several classes beside Python ${MLFLOW_MISSING ?? ''}`, () => {
  const target = { kind: 'multiclass', classes: CLASSES } as const;
  const data = { x, y, names: NAMES };

  function expectTheSame(booster: Booster, python: Said): Float64Array {
    const own = scoreAll(openPredictor(Buffer.from(booster.save('json')).toString()), x);
    python.said.flat().forEach((said, at) => expect(Math.abs(said - (own[at] ?? NaN))).toBeLessThan(1e-6));
    const figures = measure('multiclass', Float64Array.from(y), own);
    for (const [name, value] of Object.entries(python.figures))
      expect({ name, value: figures[name as 'accuracy'] }).toEqual({
        name,
        value: expect.closeTo(value, 5) as number,
      });
    expect(confusionOf(Float64Array.from(y), own, 3)).toEqual(python.confusion);
    return own;
  }

  test('the line, made without the library, is that of scikit-learn', async () => {
    const booster = trainOne(ownEngine, 'linear', target, { l2: L2 }, data, 7, () => undefined);
    const python = await askPython(booster, 'json');
    const own = expectTheSame(booster, python);
    python.line.flat().forEach((said, at) => expect(Math.abs(said - (own[at] ?? NaN))).toBeLessThan(1e-4));
  });

  test.skipIf(XGBOOST === undefined).each([
    ['forest', { trees: 25, max_depth: 5, subsample: 0.7 }],
    ['boosting', { rounds: 30, max_depth: 4, eta: 0.2 }],
  ] as const)('the %s of the library', async (kind, parameters) => {
    const booster = trainOne(openXgboost(XGBOOST ?? ''), kind, target, parameters, data, 7, () => undefined);
    expectTheSame(booster, await askPython(booster, 'ubj'));
    booster.close();
  });
});
