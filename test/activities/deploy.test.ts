/** The steps of a deployment against a real model server, over MLflow in memory: what is served is what the aliases say, at every end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAliases, smokeTest, switchAlias, verifyChampion } from '../../src/activities/training/deploy.js';
import type { TrainingDeps } from '../../src/activities/training/deps.js';
import { openModelServer } from '../../src/connectors/model-server.js';
import { ServingLab } from '../model-server/lab.js';
import { freePorts } from '../../src/platform/ports.js';

let lab: ServingLab;
/** What these steps need of a worker; the rest of its ports is not touched by them. */
const deps = (url: string | null): TrainingDeps =>
  ({
    mlflow: lab.mlflow,
    modelServer: url === null ? null : openModelServer(url),
  }) as Partial<TrainingDeps> as TrainingDeps;

beforeEach(async () => {
  lab = new ServingLab();
  await lab.version(0);
  await lab.version(1);
  await lab.promote('1');
  await lab.start();
});
afterEach(() => lab.server.close());

const BEFORE = { champion: '1', previous: null };
const AFTER = { champion: '2', previous: '1' };
const served = async (): Promise<unknown> =>
  ((await lab.ask('/models')).body['models'] as Array<{ version: string }>)[0]?.version;

describe('a deployment', () => {
  it('is served when its steps are done, and taken back when they are undone; each may be repeated', async () => {
    const all = deps(lab.server.url);
    expect(await readAliases(all, { model: 'demand', version: '2' })).toMatchObject({
      ...BEFORE,
      version: '2',
    });
    for (let twice = 0; twice < 2; twice += 1) {
      await smokeTest(all, 'demand', '2');
      await switchAlias(all, 'demand', BEFORE, AFTER);
      await verifyChampion(all, 'demand', '2');
    }
    expect(await lab.mlflow.aliases('demand')).toEqual(AFTER);
    expect(await served()).toBe('2');
    for (let twice = 0; twice < 2; twice += 1) await switchAlias(all, 'demand', AFTER, BEFORE);
    expect(await lab.mlflow.aliases('demand')).toEqual({ champion: '1' });
    expect(await served()).toBe('1');
  });

  it('stops before the switch where the server cannot load the version', async () => {
    const source = (await lab.mlflow.versions('demand'))[0]?.source ?? '';
    // The worker does without the definition; the server cannot.
    await lab.mlflow.putArtifact(source, 'definition.json', '{}');
    const trying = smokeTest(deps(lab.server.url), 'demand', '2');
    await expect(trying).rejects.toMatchObject({ code: 'MODEL_UNREADABLE', retry: false });
    expect(await served()).toBe('1');
  });

  it('fails where the server answers with another version than the champion, and says why', async () => {
    const all = deps(lab.server.url);
    await smokeTest(all, 'demand', '2');
    await lab.server.close();
    await lab.start({}, { native: () => Promise.reject(new Error('no memory')) });
    await switchAlias(all, 'demand', BEFORE, AFTER);
    await expect(verifyChampion(deps(lab.server.url), 'demand', '2')).rejects.toMatchObject({
      ...{
        code: 'MODEL_SERVER_BEHIND',
        message: expect.stringMatching(/version none .*no memory/) as unknown,
      },
    });
  });

  it('needs no server: where none runs, or something else answers there, nobody is asked', async () => {
    const [free] = await freePorts(1);
    for (const url of [null, `http://127.0.0.1:${free}`]) {
      const all = deps(url);
      await smokeTest(all, 'demand', '2');
      await switchAlias(all, 'demand', BEFORE, AFTER);
      await verifyChampion(all, 'demand', '2');
      await switchAlias(all, 'demand', AFTER, BEFORE);
    }
  });

  it('does not move an alias that somebody else moved', async () => {
    await lab.version(2);
    await lab.promote('3');
    await expect(switchAlias(deps(null), 'demand', BEFORE, AFTER)).rejects.toMatchObject({
      code: 'MODEL_ALIAS_MOVED',
    });
    expect(await lab.mlflow.aliases('demand')).toEqual({ champion: '3' });
  });
});
