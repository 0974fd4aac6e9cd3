/** The real MLflow server: started only when asked for, and what it is told is kept over a restart. */
import { expect, test } from 'vitest';
import { checkHealth } from '../../src/platform/health.js';
import { probeMlflow } from '../../src/platform/probes/mlflow.js';
import { livingRecord } from '../../src/platform/record.js';
import { readSettings } from '../../src/platform/settings.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { TOOL_VERSIONS } from '../../src/platform/tools.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { testStack } from '../support/stack.js';

test.skipIf(MLFLOW_MISSING)(`the model registry answers and remembers ${MLFLOW_MISSING ?? ''}`, async () => {
  const before = await testStack('s3');
  const settings = readSettings({ ...process.env, ...before.env });
  expect(livingRecord(settings.stateDir, 'mlflow')).toBeUndefined();

  const { mlflow } = await testStack('mlflow');
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

  await testStack('mlflow');
  const found = await fetch(`${api}/get-by-name?experiment_name=kept`);
  expect(await found.json()).toMatchObject({
    experiment: { name: 'kept', artifact_location: expect.stringMatching(/^mlflow-artifacts:/) as unknown },
  });
});
