/** Models that were made without XGBoost's library are loaded by Python's MLflow all the same, and predict what we predict. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { trainOne } from '../../src/ml/candidates.js';
import { mlflowFiles } from '../../src/ml/mlmodel.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { seeded } from '../../src/ml/random.js';
import { readSettings } from '../../src/platform/settings.js';
import { locateMlflow } from '../../src/platform/tools.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { runCommand } from '../support/worker-process.js';

const PYTHON = `
import json, sys, mlflow, pandas
rows = json.load(open(sys.argv[2]))
model = mlflow.pyfunc.load_model(sys.argv[1])
print(json.dumps([float(value) for value in model.predict(pandas.DataFrame(rows).astype("float64"))]))
`;

test.skipIf(MLFLOW_MISSING).each(['regression', 'binary'] as const)(
  `a %s model without the library ${MLFLOW_MISSING ?? ''}`,
  async (target) => {
    const random = seeded(3);
    const names = ['a', 'b', 'c'];
    const x = Float32Array.from({ length: 300 }, () => random() * 4 - 2);
    const y = Float32Array.from({ length: 100 }, (_, row) => {
      const value = 2 * (x[row * 3] ?? 0) - (x[row * 3 + 2] ?? 0) + random();
      return target === 'binary' ? Number(value > 0.5) : value;
    });
    const booster = trainOne(
      ownEngine,
      'linear',
      { kind: target },
      { l2: 1 },
      { x, y, names },
      7,
      () => undefined,
    );
    const bytes = booster.save('json');
    const files = mlflowFiles({
      ...{ stored: { format: 'json', bytes }, featureNames: names, runId: 'r' },
      ...{ createdAt: '2026-01-01T00:00:00Z', example: { a: 1, b: 2, c: 3 } },
    });
    const folder = await mkdtemp(path.join(tmpdir(), 'datalab-mlmodel-'));
    try {
      for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
      const rows = Array.from({ length: 100 }, (_, row) =>
        Object.fromEntries(names.map((name, place) => [name, x[row * 3 + place]])),
      );
      await writeFile(path.join(folder, 'rows.json'), JSON.stringify(rows));
      await writeFile(path.join(folder, 'load.py'), PYTHON);
      const python = locateMlflow(readSettings(process.env));
      const said = await runCommand(
        python,
        [path.join(folder, 'load.py'), folder, path.join(folder, 'rows.json')],
        { MLFLOW_DISABLE_TELEMETRY: 'true' },
      );
      const theirs = JSON.parse(said.stdout.trim().split('\n').at(-1) ?? '[]') as number[];
      expect(`${theirs.length} ${theirs.length === 100 ? '' : said.stderr}`).toBe('100 ');
      booster
        .predict(x, 3)
        .forEach((own, row) => expect(Math.abs(own - (theirs[row] ?? NaN))).toBeLessThan(1e-5));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
