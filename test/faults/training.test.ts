/**
 * Training when things go wrong at the worst moment: a worker killed with SIGKILL while it trains, registers or deploys, MLflow
 * that drops a connection, a person who cancels. Each time there is one version, no run left open in MLflow, and the right
 * champion. The moments are found by a proxy in front of the real MLflow.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { testStack } from '../support/stack.js';
import { childrenOf, ENDLESS, HUNGRY, isAlive, QUICK, SLOW, TrainingLab } from './training-lab.js';

describe.skipIf(MLFLOW_MISSING)(`a training ${MLFLOW_MISSING ?? ''}`, () => {
  let lab: TrainingLab;

  beforeAll(async () => {
    const stack = await testStack('s3', 'temporal', 'mlflow');
    lab = new TrainingLab(stack, stack.mlflow);
    await lab.start('training-faults');
  }, 300_000);
  afterEach(async () => {
    lab.proxy.hook = () => undefined;
    if (!lab.worker.running) await lab.startWorker();
  });
  afterAll(() => lab?.stop());

  it('whose worker is killed while it trains is trained by another, and the orphan ends itself', async () => {
    const run = await lab.train(SLOW);
    await lab.isTraining(run);
    const trainers = await childrenOf(lab.worker.pid);
    expect(trainers.length).toBeGreaterThan(0);
    await lab.worker.kill();
    for (const pid of trainers) await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
    await lab.startWorker();
    const { training } = await lab.promoted(run);
    expect(training?.candidates).toHaveLength(2);
    await lab.expectOneVersion();
  });

  it.each([
    ['while it registers: MLflow has the version, nobody heard of it', '/model-versions/create', 1],
    ['between the switch of the alias and its verification', '/registered-models/alias', 2],
  ])('whose worker is killed %s', async (_what, request, nth) => {
    let seen = 0;
    const victim = lab.worker;
    lab.proxy.hook = async ({ method, path: asked }, moment) => {
      if (method !== 'POST' || moment !== 'after' || !asked.endsWith(request)) return;
      if ((seen += 1) === nth) await victim.kill();
    };
    const run = await lab.train(QUICK);
    await expect.poll(() => victim.running, { timeout: 60_000 }).toBe(false);
    await lab.startWorker();
    await lab.promoted(run);
    await lab.expectOneVersion();
  });

  it('whose questions MLflow drops for some tries asks again', async () => {
    let refused = 0;
    lab.proxy.hook = ({ path: asked }) => {
      // From the middle of the registration on.
      if (!asked.endsWith('/log-batch') || refused >= 3) return undefined;
      refused += 1;
      return 'drop';
    };
    await lab.promoted(await lab.train(QUICK));
    expect(refused).toBe(3);
    await lab.expectOneVersion();
  });

  it('that takes more memory than it may is stopped and says so; the worker lives, and trains another meanwhile', async () => {
    await lab.worker.stop();
    await lab.startWorker({ DATALAB_MLOPS_MEMORY_GB: '0.5' });
    const { pid } = lab.worker;
    const other = await lab.train(SLOW);
    const { model } = lab;
    const run = await lab.train(HUNGRY);
    const ended = await run.result();
    expect(ended).toMatchObject({ status: 'failed', code: 'MODEL_MEMORY_EXCEEDED' });
    expect(ended).toMatchObject({
      message: expect.stringMatching(
        /training 'forest' of model 'm_\w+' took \d+ MiB of memory, the process may take 256 MiB: it was stopped\. What to do: Raise `limits\.mlops\.memoryGb`/,
      ) as unknown,
    });
    expect(await lab.mlflow.versions(lab.model)).toEqual([]);
    expect(await lab.runStates()).not.toContain('RUNNING');
    lab.model = model;
    await lab.promoted(other);
    await lab.expectOneVersion();
    expect([lab.worker.running, lab.worker.pid]).toEqual([true, pid]);
    await lab.worker.stop();
  });

  it('that is cancelled stops to train at once, however patient the heartbeat is, and leaves nothing open', async () => {
    await lab.worker.stop();
    // Cancellation comes with heartbeats, and the SDK holds those back for 80 % of their time-out, a minute at most: a trainer that
    // is gone long before that minute was told by the worker's own heartbeat of every second.
    await lab.startWorker({ DATALAB_HEARTBEAT_SECONDS: '600' });
    const run = await lab.train(ENDLESS);
    await lab.isTraining(run);
    const [trainer] = await childrenOf(lab.worker.pid);
    expect(trainer && (await isAlive(trainer))).toBe(true);
    const ended = run.result();
    let first = '';
    void ended.then(() => (first ||= 'run'));
    await run.cancel();
    await expect
      .poll(() => isAlive(trainer ?? 0).then((alive) => alive || !(first ||= 'trainer')), {
        timeout: 30_000,
        interval: 20,
      })
      .toBe(false);
    // The run says that it is cancelled when nothing of it trains any more.
    expect(first).toBe('trainer');
    expect((await ended).status).toBe('cancelled');
    expect(lab.worker.running).toBe(true);
    expect(await lab.mlflow.versions(lab.model)).toEqual([]);
    expect(await lab.runStates()).not.toContain('RUNNING');
  });
});
