/** A sample between measuring and telling: figures that got lost, channels that are late, events that wait. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMonitoringActivities } from '../../src/activities/monitoring/index.js';
import type { AlertOverview, ChannelState } from '../../src/contracts/alerts.js';
import type { Measurement, MonitoringActivities, ProbeAnswer } from '../../src/contracts/monitoring.js';
import { monitoringDeps } from '../support/monitoring-deps.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

let lab: Lab;
let channels: Record<string, ChannelState>;
let activities: MonitoringActivities;
let cycles = 0;

beforeEach(() => {
  lab = new Lab();
  channels = {};
  activities = createMonitoringActivities(
    monitoringDeps(lab.deps, {
      datasetNames: () => Promise.resolve(['sales']),
      overview: () => Promise.resolve({ channels } as unknown as AlertOverview),
    }),
  );
});
afterEach(() => lab.close());

const cycle = () => ({ id: `cycle-${++cycles}`, at: new Date(lab.nowMs).toISOString() });
const valueOf = (figures: readonly Measurement[], metric: string): number | undefined =>
  figures.find((one) => one.metric === metric)?.value;
const found = async (...answers: ProbeAnswer[]): Promise<string[]> =>
  (await activities.judgeSample(cycle(), answers)).findings.map(({ fingerprint }) => fingerprint);

describe('figures that lay in the lake', () => {
  const many: ProbeAnswer = {
    ...{ probe: 'lake', up: true, ms: 3, detail: '', count: 500, measurements: [], reference: 'sample/gone' },
  };
  const services: ProbeAnswer = {
    ...{ probe: 'services', up: true, ms: 1, detail: '', count: 1, reference: null },
    measurements: [{ metric: 'service.up', labels: { service: 'shop' }, value: 0, detail: 'away' }],
  };

  it('and are gone cost their probe, and nothing else', async () => {
    const { findings, lost } = await activities.judgeSample(cycle(), [many, services]);
    expect(findings.map(({ fingerprint }) => fingerprint).sort()).toEqual([
      'probe_failed{probe=lake}',
      'service_down{service=shop}',
    ]);
    expect(lost).toEqual(['lake']);
    expect(await activities.recordSample(cycle(), [many, services])).toEqual([]);
    const rows = await lab.rows('meta/metrics', 'metric, value', `WHERE metric = 'service.up'`);
    expect(rows).toEqual([{ metric: 'service.up', value: 0 }]);
  });

  it('count like those that travel with the answer', async () => {
    await lab.deps.lake.put(
      '_monitoring/sample/there.json',
      new TextEncoder().encode(JSON.stringify(services.measurements)),
    );
    const there = { ...services, measurements: [], reference: 'sample/there' };
    const { findings, lost } = await activities.judgeSample(cycle(), [there]);
    expect(findings.map(({ rule }) => rule)).toEqual(['service_down']);
    expect(lost).toBeUndefined();
  });
});

describe('the channels of alerts', () => {
  const state = (over: Partial<ChannelState>): ChannelState => ({
    ...{ firstLagMs: null, laterLagMs: null, waiting: 0, waitingSince: null, ...over },
  });

  it('are measured by how late they take what they are given', async () => {
    channels = { mail: state({ firstLagMs: 400_000 }), log: state({ firstLagMs: 20 }) };
    const answer = await activities.probeServices(cycle());
    const lags = answer.measurements.filter(({ metric }) => metric === 'channel.delivery_lag_seconds');
    expect(lags.map(({ labels, value }) => [labels['channel'], labels['attempt'], value])).toEqual([
      ['mail', 'first', 400],
      ['log', 'first', 0.02],
    ]);
    expect(await found(answer)).toEqual(['channel_slow{attempt=first,channel=mail}']);
  });

  it('are no second alert for what a channel was known to refuse', async () => {
    channels = { mail: state({ laterLagMs: 3_600_000, waiting: 2, waitingSince: lab.nowMs - 90_000 }) };
    const answer = await activities.probeServices(cycle());
    expect(valueOf(answer.measurements, 'channel.delivery_lag_seconds')).toBe(3600);
    expect(valueOf(answer.measurements, 'channel.waiting_messages')).toBe(2);
    // The lab's clock ticks whenever it is looked at.
    expect(Math.abs((valueOf(answer.measurements, 'channel.waiting_seconds') ?? 0) - 90)).toBeLessThan(5);
    expect(await found(answer)).toEqual([]);
  });
});

describe('events that wait for the broker', () => {
  it('are measured by their number and their age, and told of when they are old', async () => {
    lab.source('a.csv', '1,ann,10');
    const { run } = await lab.run();
    await lab.do('recordRun', reportOf(run));
    const madeAt = lab.nowMs;
    lab.inbox.down();
    lab.nowMs = madeAt + 5 * 60_000;
    const young = await activities.relayAll(cycle());
    expect(valueOf(young.measurements, 'relay.pending')).toBe(5);
    const lag = valueOf(young.measurements, 'relay.lag_seconds') ?? 0;
    expect(lag).toBeGreaterThanOrEqual(300);
    // The lab's clock ticks with every commit.
    expect(lag).toBeLessThan(900);
    expect(await found(young)).toEqual([]);
    lab.nowMs = madeAt + 20 * 60_000;
    const old = await activities.relayAll(cycle());
    const { findings } = await activities.judgeSample(cycle(), [old]);
    expect(findings.map(({ rule }) => rule)).toEqual(['relay_behind']);
    expect(findings[0]?.summary).toContain('nobody listens');
    lab.inbox.up();
    const sent = await activities.relayAll(cycle());
    expect(valueOf(sent.measurements, 'relay.sent')).toBe(5);
    expect(valueOf(sent.measurements, 'relay.lag_seconds')).toBe(0);
    expect(await found(sent)).toEqual([]);
  });
});
