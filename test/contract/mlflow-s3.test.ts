/** A real MLflow whose artifacts are on the real S3 gateway: our model server and real Python load what was trained from there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { parseModel } from '../../src/config/model.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { openMlflow } from '../../src/connectors/mlflow/index.js';
import { MemoryObjectStore, openObjectStore } from '../../src/connectors/object-store/index.js';
import { trainOne } from '../../src/ml/candidates.js';
import { mlflowFiles } from '../../src/ml/mlmodel.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { seeded } from '../../src/ml/random.js';
import { startModelServer } from '../../src/model-server/index.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { s3Access } from '../../src/platform/services/s3.js';
import { readSettings, type Settings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';
import { locateMlflow, locateMlflowS3 } from '../../src/platform/tools.js';
import { runCommand } from '../support/worker-process.js';

const MISSING = missing();
const NAMES = ['a', 'b', 'c'];
const PYTHON = `
import json, sys, mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/kept@champion")
print(json.dumps([float(value) for value in model.predict(pandas.DataFrame(json.load(open(sys.argv[2]))).astype("float64"))]))
`;

function missing(): string | undefined {
  try {
    const settings = readSettings(process.env);
    locateMlflow(settings);
    locateMlflowS3(settings);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

let own: Readonly<Record<string, string>>;
let folder: string;
let settings: Settings;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'datalab-mlflow-s3-'));
  own = { ...(await createEphemeral()), DATALAB_MLFLOW_ARTIFACTS: 's3://datalab/mlflow' };
}, 60_000);
afterAll(async () => {
  await destroyEphemeral(own);
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test.skipIf(MISSING)(
  `a model whose artifacts are on S3 is loaded from there ${MISSING ?? ''}`,
  async () => {
    const started = await startPlatform({ ...process.env, ...own }, { only: ['s3', 'mlflow'] });
    expect(started.outcomes.map(({ outcome }) => outcome)).not.toContain('failed');
    settings = started.settings;
    const uri = settings.env['MLFLOW_TRACKING_URI'] ?? '';
    const mlflow = openMlflow(uri);
    const { booster, x } = train();
    const { runId, source, files } = await register(mlflow, booster);

    // MLflow says that it serves them; where they are is seen in the bucket.
    expect(source).toMatch(/^mlflow-artifacts:/);
    const { bucket, ...access } = s3Access(settings);
    const options = { s3: { ...access, forcePathStyle: true }, cacheDirectory: folder, cacheBytes: 0 };
    const store = openObjectStore(`s3://${bucket}/mlflow`, options);
    const kept = new Map<string, Buffer>();
    for await (const { key } of store.list(''))
      kept.set(path.basename(key), Buffer.from(await store.get(key)));
    expect([...kept.keys()].sort()).toEqual(Object.keys(files).sort());
    for (const [name, content] of Object.entries(files))
      expect(kept.get(name)?.equals(Buffer.from(content as string))).toBe(true);

    const rows = Array.from({ length: 100 }, (_, row) =>
      Object.fromEntries(NAMES.map((name, place) => [name, x[row * NAMES.length + place] ?? null])),
    );
    const expected = [...booster.predict(x, NAMES.length)];
    const near = (said: readonly number[]): void => {
      expect(said).toHaveLength(expected.length);
      said.forEach((value, row) => expect(Math.abs(value - (expected[row] ?? NaN))).toBeLessThan(1e-6));
    };
    const { modelServer } = parseConfig(JSON.stringify({ modelServer: { port: 0 } }), {});
    const server = await startModelServer({
      ...{ config: { ...modelServer, log: { ...modelServer.log, enabled: false } }, mlflow, native: null },
      lake: {
        store: new MemoryObjectStore('unused', { nowMs: () => Date.now() }),
        engine: createDuckDbEngine({ memoryLimit: '100MB', threads: 1, spillDirectory: folder }),
      },
      ...{ clock: { nowMs: () => Date.now() }, log: pino({ level: 'silent' }) },
    });
    try {
      await server.poll();
      const answer = await fetch(`${server.url}/predict`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ model: 'kept', rows }),
      });
      const said = (await answer.json()) as { version: string; predictions: Array<{ prediction: number }> };
      expect({ status: answer.status, version: said.version }).toEqual({ status: 200, version: '1' });
      near(said.predictions.map(({ prediction }) => prediction));
    } finally {
      await server.close();
    }

    await writeFile(path.join(folder, 'rows.json'), JSON.stringify(rows));
    await writeFile(path.join(folder, 'load.py'), PYTHON);
    const script = [path.join(folder, 'load.py'), uri, path.join(folder, 'rows.json')];
    const python = await runCommand(locateMlflow(settings), script, { MLFLOW_DISABLE_TELEMETRY: 'true' });
    near(JSON.parse(python.stdout.trim().split('\n').at(-1) ?? '[]') as number[]);
    await mlflow.closeRun(runId, 'FINISHED', Date.now());
  },
  300_000,
);

function train(): { booster: ReturnType<typeof trainOne>; x: Float32Array } {
  const random = seeded(3);
  const x = Float32Array.from({ length: 300 }, () => random() * 4 - 2);
  const y = Float32Array.from(
    { length: 100 },
    (_, row) => 2 * (x[row * 3] ?? 0) - (x[row * 3 + 2] ?? 0) + random(),
  );
  const data = { x, y, names: NAMES };
  const booster = trainOne(ownEngine, 'linear', { kind: 'regression' }, { l2: 1 }, data, 7, () => undefined);
  return { booster, x };
}

/** The files of a version as a training leaves them, and the version, which becomes the champion. */
async function register(mlflow: ReturnType<typeof openMlflow>, booster: ReturnType<typeof trainOne>) {
  const definition = parseModel('shop', 'kept', {
    ...{ name: 'kept', table: 'prices', keys: ['symbol'], time: 'date', metric: 'rmse' },
    target: { expression: 'a', horizon: 1, kind: 'regression' },
    features: NAMES.map((name) => ({ name })),
    ...{ candidates: [{ kind: 'linear' }], baselines: [{ kind: 'constant' }] },
  });
  const experiment = await mlflow.experiment('datalab/kept');
  const run = await mlflow.ensureRun(experiment, { key: 'k', name: 'k', startMs: Date.now(), tags: {} });
  const source = `${run.artifactUri}/model`;
  const bytes = booster.save('json');
  const row = { a: 1, b: 2, c: 3 };
  const [prediction = NaN] = booster.predict(Float32Array.from(Object.values(row)), NAMES.length);
  const files: Record<string, string | Uint8Array> = {
    ...mlflowFiles({
      ...{ stored: { format: 'json', bytes }, featureNames: NAMES, runId: run.runId },
      ...{ createdAt: '2026-01-01T00:00:00Z', example: row },
    }),
    ...{ 'model.json': bytes, 'definition.json': JSON.stringify(definition) },
    'smoke.json': JSON.stringify([{ features: row, prediction }]),
  };
  for (const [name, content] of Object.entries(files)) await mlflow.putArtifact(source, name, content);
  await mlflow.ensureModel('kept', '');
  const tags = { 'datalab.model': 'kept' };
  const version = await mlflow.createVersion('kept', { source, runId: run.runId, tags, description: '' });
  await mlflow.setAlias('kept', 'champion', version);
  return { runId: run.runId, source, files };
}
