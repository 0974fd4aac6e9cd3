/** One suite for the client of the real MLflow and for the fake that unit tests use: what both promise. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { openMlflow, type MlflowClient } from '../../src/connectors/mlflow/index.js';
import { FakeMlflow } from '../support/fake-mlflow.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { testStack } from '../support/stack.js';

const implementations = [
  { name: 'the fake', missing: undefined, open: () => Promise.resolve<MlflowClient>(new FakeMlflow()) },
  {
    name: 'the real server',
    missing: MLFLOW_MISSING,
    open: async () => openMlflow((await testStack('mlflow')).mlflow),
  },
];

describe.each(implementations)('MLflow: $name $missing', ({ missing, open }) => {
  describe.skipIf(missing !== undefined)('holds that', () => {
    let mlflow: MlflowClient;
    const model = `m-${randomUUID()}`;
    let experiment: string;
    let run: Awaited<ReturnType<MlflowClient['ensureRun']>>;
    const open2 = (key: string) =>
      mlflow.ensureRun(experiment, {
        key,
        name: key,
        startMs: 1_700_000_000_000,
        tags: { 'datalab.run': 'r1' },
      });

    beforeAll(async () => {
      mlflow = await open();
      experiment = await mlflow.experiment(`datalab/${model}`);
      run = await open2('a');
    });

    it('an experiment and a run are made once, however often they are asked for', async () => {
      expect(await mlflow.experiment(`datalab/${model}`)).toBe(experiment);
      expect(await open2('a')).toEqual(run);
      expect(run.status).toBe('RUNNING');
      expect((await open2('b')).runId).not.toBe(run.runId);
    });

    it('runs are found by tag and status, and closed', async () => {
      const open = "tags.`datalab.run` = 'r1' and attributes.status = 'RUNNING'";
      expect(await mlflow.findRuns(experiment, open)).toHaveLength(2);
      await mlflow.closeRun((await open2('b')).runId, 'KILLED', 1_700_000_001_000);
      expect((await mlflow.findRuns(experiment, open)).map(({ runId }) => runId)).toEqual([run.runId]);
      expect((await open2('b')).status).toBe('KILLED');
    });

    it('figures are the newest, told twice is told once, and a parameter does not change', async () => {
      const metrics = [0, 1].map((step) => ({ key: 'rmse', value: step + 0.5, timestamp: 1, step }));
      for (let twice = 0; twice < 2; twice += 1)
        await mlflow.logBatch(run.runId, { params: { seed: '7' }, metrics });
      expect(await mlflow.metrics(run.runId)).toEqual({ rmse: 1.5 });
      await expect(mlflow.logBatch(run.runId, { params: { seed: '8' } })).rejects.toMatchObject({
        code: 'MLFLOW_REFUSED',
      });
      await mlflow.logDataset(run.runId, { name: 'gold.t', digest: 'd', source: {}, profile: {} });
    });

    it('files come back as they were, the last one put; one that is not there is refused', async () => {
      await mlflow.putArtifact(run.artifactUri, 'a/ü b.bin', Buffer.from([0, 255, 1]));
      await mlflow.putArtifact(run.artifactUri, 'a/ü b.bin', 'text');
      expect((await mlflow.getArtifact(run.artifactUri, 'a/ü b.bin')).toString()).toBe('text');
      await expect(mlflow.getArtifact(run.artifactUri, 'none')).rejects.toMatchObject({
        name: 'DatalabError',
      });
    });

    it('a model that nobody registered has no versions and no aliases', async () => {
      expect(await mlflow.versions(model)).toEqual([]);
      expect(await mlflow.aliases(model)).toEqual({});
      expect((await mlflow.allAliases()).has(model)).toBe(false);
    });

    it('versions are numbered, newest first, with tags and aliases', async () => {
      await mlflow.ensureModel(model, 'x');
      await mlflow.ensureModel(model, 'x');
      const source = `${run.artifactUri}/model`;
      await mlflow.putArtifact(source, 'MLmodel', '{}');
      const make = () =>
        mlflow.createVersion(model, { source, runId: run.runId, tags: { one: '1' }, description: '' });
      expect([await make(), await make()]).toEqual(['1', '2']);
      await mlflow.tagVersion(model, '2', 'two', '2');
      await mlflow.setAlias(model, 'champion', '1');
      const [second, first] = await mlflow.versions(model);
      expect(second).toMatchObject({ version: '2', tags: { one: '1', two: '2' }, aliases: [] });
      expect(first).toMatchObject({ version: '1', runId: run.runId, source, aliases: ['champion'] });
    });

    it('an alias moves, is seen by both questions, and taking it away twice is no error', async () => {
      await mlflow.setAlias(model, 'champion', '2');
      await mlflow.setAlias(model, 'previous', '1');
      expect(await mlflow.aliases(model)).toEqual({ champion: '2', previous: '1' });
      expect((await mlflow.allAliases()).get(model)).toEqual({ champion: '2', previous: '1' });
      await mlflow.setAlias(model, 'previous', null);
      await mlflow.setAlias(model, 'previous', null);
      expect(await mlflow.aliases(model)).toEqual({ champion: '2' });
      await expect(mlflow.setAlias(model, 'champion', '9')).rejects.toMatchObject({ code: 'MLFLOW_REFUSED' });
    });
  });
});

it('MLflow that is away is said to be away, which is worth trying again', async () => {
  const asking = openMlflow('http://127.0.0.1:9').models();
  await expect(asking).rejects.toMatchObject({ code: 'MLFLOW_UNAVAILABLE', retry: true });
});
