/** Expected runs over many cycles: pauses that are over, times that were lost, and the circuit breaker. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMonitoringActivities } from '../../src/activities/monitoring/index.js';
import { CIRCUIT_NOTE, type ScheduleState, type Slot } from '../../src/contracts/expected-runs.js';
import type { Measurement, MonitoringActivities } from '../../src/contracts/monitoring.js';
import { checkoutScan } from '../../src/delta/index.js';
import { monitoringDeps } from '../support/monitoring-deps.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

const ID = 'medallion-etl-daily';
let lab: Lab;
let state: ScheduleState;
let activities: MonitoringActivities;
let cycles = 0;

const slot = (hour: number, outcome: Slot['outcome']): Slot => {
  const logicalTime = new Date(Date.UTC(2024, 0, 1, hour)).toISOString();
  const ran = outcome === 'ok' || outcome === 'failed';
  return {
    ...{ scheduleId: ID, logicalTime, outcome, rows: null, detail: '' },
    ...{ startedAt: ran ? logicalTime : null, finishedAt: ran ? logicalTime : null },
    ...{ runId: ran ? `r${hour}` : null, workflowId: ran ? `w${hour}` : null },
  };
};

beforeEach(() => {
  lab = new Lab();
  state = { scheduleId: ID, paused: false, note: '', slots: [] };
  const deps = monitoringDeps(lab.deps, {
    schedules: [{ id: ID, createPaused: false, workflowType: 'medallionEtl', budgetSeconds: 600 }],
    slots: () => Promise.resolve(state),
    rowsOfRun: () => Promise.resolve(7),
    pauseSchedule: (_, note) => {
      state = { ...state, paused: true, note };
      return Promise.resolve();
    },
  });
  activities = createMonitoringActivities(deps);
});
afterEach(() => lab.close());

const cycle = () => ({ id: `cycle-${++cycles}`, at: new Date(lab.nowMs).toISOString() });

async function figures(): Promise<Record<string, number>> {
  const { measurements } = await activities.probeSchedules(cycle());
  return Object.fromEntries(measurements.map(({ metric, value }: Measurement) => [metric, value]));
}

async function recorded(): Promise<string[]> {
  const table = lab.table('meta/expected_runs');
  const scan = await checkoutScan(lab.store('meta/expected_runs'), await table.snapshot());
  const session = await lab.deps.engine.open({ inputs: scan.inputs });
  try {
    const rows = await session.rows<{ text: string }>(
      `SELECT hour(logical_time) || ' ' || outcome || coalesce(' ' || rows, '') AS text FROM ${lab.deps.engine.relation(scan.plan)} ORDER BY recorded_at, logical_time`,
    );
    return rows.map(({ text }) => text);
  } finally {
    await session.close();
    scan.release();
  }
}

describe('the probe of the schedules', () => {
  it('takes a time that passed during a pause for left out, also when the pause is over', async () => {
    state = { ...state, paused: true, slots: [slot(1, 'skipped')] };
    expect(await figures()).toMatchObject({ 'schedule.paused': 1, 'schedule.never_started': 0 });
    state = { ...state, paused: false, slots: [slot(1, 'never_started'), slot(2, 'ok')] };
    expect(await figures()).toMatchObject({ 'schedule.paused': 0, 'schedule.never_started': 0 });
    expect(await recorded()).toEqual(['1 skipped', '2 ok 7']);
  });

  it('says of a lost time that it never started, once in the table, until a run fills it', async () => {
    state = { ...state, slots: [slot(1, 'never_started')] };
    expect(await figures()).toMatchObject({ 'schedule.never_started': 1 });
    expect(await figures()).toMatchObject({ 'schedule.never_started': 1 });
    state = { ...state, slots: [slot(1, 'ok')] };
    expect(await figures()).toMatchObject({ 'schedule.never_started': 0 });
    expect(await recorded()).toEqual(['1 never_started', '1 ok 7']);
  });
});

it('leaves alone what a flow has recorded of its own end', async () => {
  const run = { ...lab.newRun(), scheduleId: ID, logicalTime: slot(1, 'ok').logicalTime };
  await lab.do('recordRun', reportOf(run));
  state = { ...state, slots: [{ ...slot(1, 'ok'), runId: run.executionId }, slot(2, 'ok')] };
  await figures();
  await figures();
  expect(await recorded()).toEqual(['1 ok 4', '2 ok 7']);
});

it('says how many things of a schedule are not as declared, and which', async () => {
  expect(await figures()).toMatchObject({ 'schedule.changed': 0 });
  state = { ...state, differences: ['the zone is UTC instead of X', 'the input is 1 instead of 2'] };
  const answer = await activities.probeSchedules(cycle());
  const { findings } = await activities.judgeSample(cycle(), [answer]);
  expect(findings).toMatchObject([
    { fingerprint: `schedule_changed{schedule=${ID}}`, value: 2, severity: 'warning' },
  ]);
  expect(findings[0]?.summary).toBe(
    `${ID} is not as the configuration declares it (the zone is UTC instead of X; the input is 1 instead of 2); to put it right: datalab schedules apply`,
  );
});

describe('how long runs take', () => {
  const ran = (hour: number, seconds: number, outcome: Slot['outcome'] = 'ok'): Slot => {
    const startedAt = new Date(Date.UTC(2024, 0, 1, hour)).toISOString();
    const finishedAt = new Date(Date.UTC(2024, 0, 1, hour, 0, seconds)).toISOString();
    return { ...slot(hour, outcome), startedAt, finishedAt: outcome === 'running' ? null : finishedAt };
  };

  it('is held against the budget while a run goes on', async () => {
    lab.nowMs = Date.UTC(2024, 0, 1, 5, 15);
    state = { ...state, slots: [ran(5, 0, 'running')] };
    const { 'schedule.budget_used': used = 0 } = await figures();
    // 15 minutes of 10.
    expect(used).toBeCloseTo(1.5, 1);
    state = { ...state, slots: [ran(5, 900)] };
    expect(await figures()).not.toHaveProperty('schedule.budget_used');
  });

  it('is held against what is usual, once there is enough to tell', async () => {
    const usual = [1, 2, 3, 4].map((hour) => ran(hour, 100 + hour));
    state = { ...state, slots: usual };
    expect(await figures()).not.toHaveProperty('schedule.times_usual');
    state = { ...state, slots: [...usual, ran(5, 103), ran(6, 104)] };
    await figures();
    expect((await figures())['schedule.times_usual']).toBeCloseTo(1, 1);
    // Days later, when the window holds none of them any more.
    state = { ...state, slots: [ran(7, 520)] };
    expect((await figures())['schedule.times_usual']).toBeCloseTo(5, 1);
    state = { ...state, slots: [ran(8, 50)] };
    expect((await figures())['schedule.times_usual']).toBe(1);
  });

  it('counts partial and empty runs apart from failed ones', async () => {
    state = { ...state, slots: [ran(1, 5), ran(2, 5, 'partial'), ran(3, 5, 'partial')] };
    expect(await figures()).toMatchObject({
      ...{ 'schedule.consecutive_partial': 2, 'schedule.consecutive_failures': 0 },
      'schedule.consecutive_empty': 0,
    });
    state = { ...state, slots: [ran(1, 5), ran(2, 5, 'empty')] };
    expect(await figures()).toMatchObject({
      'schedule.consecutive_empty': 1,
      'schedule.consecutive_partial': 0,
    });
  });
});

describe('the circuit breaker', () => {
  const failures = (count: number): Slot[] =>
    Array.from({ length: count }, (_, hour) => slot(hour, 'failed'));

  it('lets a few failures pass', async () => {
    state = { ...state, slots: [...failures(4), slot(5, 'ok')] };
    expect(await activities.breakCircuits(cycle())).toEqual([]);
    expect(state.paused).toBe(false);
  });

  it('pauses a schedule that keeps failing, says how to go on, and forgives what was before', async () => {
    lab.nowMs = Date.UTC(2024, 0, 1, 12);
    state = { ...state, slots: failures(5) };
    expect(await activities.breakCircuits(cycle())).toEqual([ID]);
    expect(state.paused).toBe(true);
    expect(state.note).toMatch(new RegExp(`^${CIRCUIT_NOTE} 5 of the last 5 runs failed.*resume ${ID}$`));
    expect(await figures()).toMatchObject({ 'schedule.circuit_open': 1 });
    state = { ...state, paused: false, note: '' };
    expect(await activities.breakCircuits(cycle())).toEqual([]);
    state = { ...state, slots: [...failures(5), slot(13, 'failed'), slot(14, 'failed')] };
    expect(await activities.breakCircuits(cycle())).toEqual([]);
    const anew = [13, 14, 15, 16, 17].map((hour) => slot(hour, 'failed'));
    state = { ...state, slots: [...failures(5), ...anew] };
    expect(await activities.breakCircuits(cycle())).toEqual([ID]);
  });
});

it('a probe that hangs ends in time, by a code', async () => {
  const { monitoring } = lab.deps.config;
  const config = { ...lab.deps.config, monitoring: { ...monitoring, probeTimeoutSeconds: 0.05 } };
  const hanging = createMonitoringActivities(
    monitoringDeps({ ...lab.deps, config }, { ask: () => new Promise<never>(() => undefined) }),
  );
  await expect(hanging.probeServices(cycle())).rejects.toMatchObject({ type: 'PROBE_TIMEOUT' });
});
