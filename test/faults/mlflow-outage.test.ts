/**
 * The real MLflow process is gone in the middle of a training: stopped while trees are grown, killed with SIGKILL while a version is
 * registered. When it is back there is exactly one version and no run left open, or the cancelled run's are closed.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunHandle } from '../../src/client/index.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { readRecord } from '../../src/platform/record.js';
import { readSettings, type Settings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { testStack } from '../support/stack.js';
import { QUICK, SLOW, TrainingLab } from './training-lab.js';

describe.skipIf(MLFLOW_MISSING)(`MLflow that goes away during a training ${MLFLOW_MISSING ?? ''}`, () => {
  /** An MLflow of this test's own: others use that of the run. */
  let own: Readonly<Record<string, string>>;
  let settings: Settings;
  let lab: TrainingLab;

  async function startMlflow(): Promise<void> {
    const { outcomes } = await startPlatform({ ...process.env, ...own }, { only: ['mlflow'] });
    const said = outcomes.map(({ detail }) => detail).join('\n');
    expect(outcomes, said).toMatchObject([{ service: 'mlflow', outcome: 'started' }]);
  }

  function killMlflow(): void {
    const { pid } = readRecord(settings.stateDir, 'mlflow') ?? {};
    expect(pid).toBeGreaterThan(1);
    process.kill(-(pid as number), 'SIGKILL');
  }

  /** Kills MLflow when it has done the n-th such request, and before anybody hears of it. */
  function killAfter(request: string, nth: number): () => boolean {
    let seen = 0;
    lab.proxy.hook = ({ method, path: asked }, moment) => {
      if (method !== 'POST' || moment !== 'after' || !asked.endsWith(request)) return undefined;
      if ((seen += 1) !== nth) return undefined;
      killMlflow();
      return 'drop';
    };
    return () => seen >= nth;
  }

  beforeAll(async () => {
    own = await createEphemeral();
    await startMlflow();
    settings = readSettings({ ...process.env, ...own });
    const stack = await testStack('s3', 'temporal');
    lab = new TrainingLab(stack, settings.env['MLFLOW_TRACKING_URI'] ?? '');
    await lab.start('mlflow-outage');
  }, 300_000);
  afterEach(() => {
    lab.proxy.hook = () => undefined;
  });
  afterAll(async () => {
    await lab?.stop();
    await destroyEphemeral(own);
  });

  it('is stopped while trees are grown: the run waits for it, and is promoted', async () => {
    const run = await lab.train(SLOW);
    await lab.isTraining(run);
    expect(await stopPlatform(settings, ['mlflow'])).toMatchObject([{ outcome: 'stopped' }]);
    await expect(lab.mlflow.models()).rejects.toMatchObject({ code: 'MLFLOW_UNAVAILABLE' });
    // Training needs no MLflow; judging beside the champion does.
    await lab.reaches(run, 'evaluateModel', 2);
    await startMlflow();
    const { training } = await lab.promoted(run);
    expect(training?.candidates).toHaveLength(2);
    await lab.expectOneVersion();
  });

  it.each([
    ['with the runs half told', '/log-batch', 2],
    ['with a version that nobody heard of', '/model-versions/create', 1],
  ])('is killed %s: the registration is done once', async (_what, request, nth) => {
    const killed = killAfter(request, nth);
    const run = await lab.train(QUICK);
    await expect.poll(killed, { timeout: 120_000 }).toBe(true);
    await lab.reaches(run, 'registerModel', 2);
    await startMlflow();
    await lab.promoted(run);
    await lab.expectOneVersion();
  });

  it('is away when a person cancels: the run is recorded, and closed in MLflow when that is back', async () => {
    const killed = killAfter('/log-batch', 2);
    const run = await lab.train(QUICK);
    await expect.poll(killed, { timeout: 120_000 }).toBe(true);
    await lab.reaches(run, 'registerModel', 2);
    await run.cancel();
    const recorded = async (handle: RunHandle): Promise<unknown> => {
      const { phase, outcome, steps } = (await handle.progress()).summary;
      return [phase, outcome, steps.at(-2)?.step, steps.at(-1)?.step];
    };
    await expect
      .poll(() => recorded(run), { timeout: 120_000 })
      .toEqual(['relaying', 'cancelled', 'record', 'relay']);
    await lab.reaches(run, 'endTraining', 2);
    await startMlflow();
    expect((await run.result()).status).toBe('cancelled');
    const states = await lab.runStates();
    expect(states).toContain('KILLED');
    expect(states).not.toContain('RUNNING');
    expect(await lab.mlflow.versions(lab.model)).toEqual([]);
  });
});
