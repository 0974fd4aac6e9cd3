/** Figures with their age: asked once for all, kept with the reason when they cannot be had again. */
import { describe, expect, it } from 'vitest';
import { Section } from '../../src/dashboard/server/measured.js';
import { durationOf } from '../../src/dashboard/server/flows.js';
import { visibilityQuery } from '../../src/dashboard/server/runs.js';

describe('a section', () => {
  it('is asked once, however many look at once', async () => {
    let asked = 0;
    const section = new Section(async () => ++asked, 60_000);
    const answers = await Promise.all([section.fresh(), section.fresh(), section.ask()]);
    expect(asked).toBe(1);
    expect(answers.map(({ value }) => value)).toEqual([1, 1, 1]);
  });

  it('keeps the old value and its time when the next measurement fails', async () => {
    let fails = false;
    const section = new Section(async () => {
      if (fails) throw new Error('the broker is away');
      return 7;
    }, 0);
    const good = await section.ask();
    fails = true;
    expect(await section.ask()).toEqual({ at: good.at, value: 7, problem: 'the broker is away' });
  });

  it('does not wait for ever', async () => {
    const section = new Section(() => new Promise<number>(() => undefined), 0, 20);
    expect(await section.ask()).toEqual({ at: null, value: null, problem: 'no answer within 0.02 s' });
  });
});

describe('durations', () => {
  it('takes percentiles by the nearest rank, and none of nothing', () => {
    const slot = (seconds: number) => ({
      ...{
        scheduleId: 's',
        logicalTime: '',
        outcome: 'ok' as const,
        rows: null,
        runId: null,
        workflowId: null,
        detail: '',
      },
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString(),
    });
    expect(durationOf([5, 1, 4, 2, 3].map(slot))).toEqual({ last: 3, p50: 3, p95: 5 });
    expect(durationOf([])).toBeNull();
  });
});

describe('the visibility query', () => {
  it('quotes what a browser sends, so that a filter can only filter', () => {
    expect(visibilityQuery({ dataset: `x' OR 'a' = 'a` })).toContain(`DatalabDataset = 'x'' OR ''a'' = ''a'`);
  });
  it('leaves a flow out, and takes several statuses', () => {
    const query = visibilityQuery({ flow: '-platformMonitoring', status: ['failed', 'timed_out'] });
    expect(query).toContain(`'medallionEtl'`);
    expect(query).not.toContain('platformMonitoring');
    expect(query).toContain(`ExecutionStatus IN ('Failed', 'TimedOut')`);
    expect(visibilityQuery({ flow: 'medallionEtl' })).toContain(`WorkflowType IN ('medallionEtl')`);
  });
  it('refuses a flow that there is not', () => {
    expect(() => visibilityQuery({ flow: 'alertManager' })).toThrow('there is no flow');
  });
});
