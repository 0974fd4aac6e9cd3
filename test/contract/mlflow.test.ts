/** The real MLflow server: what it is told is kept over a restart. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { checkHealth } from '../../src/platform/health.js';
import { probeMlflow } from '../../src/platform/probes/mlflow.js';
import { readSettings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { TOOL_VERSIONS } from '../../src/platform/tools.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';

// A server of its own: it is stopped here, and others use that of the run.
let own: Readonly<Record<string, string>>;
beforeAll(async () => {
  own = await createEphemeral();
});
afterAll(() => destroyEphemeral(own));

test.skipIf(MLFLOW_MISSING)(`the model registry answers and remembers ${MLFLOW_MISSING ?? ''}`, async () => {
  const start = () => startPlatform({ ...process.env, ...own }, { only: ['mlflow'] });
  await start();
  const settings = readSettings({ ...process.env, ...own });
  const mlflow = settings.env['MLFLOW_TRACKING_URI'] ?? '';
  expect(await probeMlflow(mlflow)).toBe(`version ${TOOL_VERSIONS.mlflow}`);
  const api = `${mlflow}/api/2.0/mlflow/experiments`;
  const created = await fetch(`${api}/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'kept' }),
  });
  expect(created.status).toBe(200);

  await stopPlatform(settings, ['mlflow']);
  const { services } = await checkHealth(settings);
  expect(services.find(({ service }) => service === 'mlflow')).toMatchObject({ state: 'down', ms: null });
  await expect(probeMlflow(mlflow)).rejects.toThrow(/ECONNREFUSED/);

  await start();
  const found = await fetch(`${api}/get-by-name?experiment_name=kept`);
  expect(await found.json()).toMatchObject({
    experiment: { name: 'kept', artifact_location: expect.stringMatching(/^mlflow-artifacts:/) as unknown },
  });
});
