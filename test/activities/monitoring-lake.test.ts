/** How fresh a dataset is, over real runs: what may turn it green, and what may not (DESIGN law 6). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMonitoringActivities } from '../../src/activities/monitoring/index.js';
import type { Finding, Measurement, MonitoringActivities } from '../../src/contracts/monitoring.js';
import { monitoringDeps } from '../support/monitoring-deps.js';
import { Lab } from './lab.js';

let lab: Lab;
let activities: MonitoringActivities;
let cycles = 0;

beforeEach(() => {
  lab = new Lab();
  lab.edit('dataset.yaml', `${lab.datasetText()}freshness: 2h\n`);
  activities = createMonitoringActivities(
    monitoringDeps(lab.deps, { datasetNames: () => Promise.resolve(['sales']) }),
  );
});
afterEach(() => lab.close());

const at = (hour: number): number => Date.UTC(2024, 0, 10, hour);

/** A run for this hour of the tenth of January, which is also when it happens. */
async function run(hour: number, options = {}): Promise<void> {
  const now = lab.nowMs;
  await lab.run(options, { ...lab.newRun(), logicalTime: new Date(at(hour)).toISOString() });
  lab.nowMs = Math.max(now, lab.nowMs);
}

async function measure(
  hour: number,
): Promise<{ figures: readonly Measurement[]; stale: readonly Finding[] }> {
  lab.nowMs = at(hour);
  const cycle = { id: `cycle-${++cycles}`, at: new Date(lab.nowMs).toISOString() };
  const answer = await activities.probeLake(cycle);
  const { findings } = await activities.judgeSample(cycle, [answer]);
  return {
    figures: answer.measurements,
    stale: findings.filter(({ rule }) => rule === 'dataset_stale' || rule === 'dataset_invalid'),
  };
}
const staleAt = async (hour: number): Promise<string[]> =>
  (await measure(hour)).stale.map(({ fingerprint }) => fingerprint);
const STALE = ['dataset_stale{dataset=sales}'];

describe('the freshness of a dataset', () => {
  it('is held against its own target, once for all of its tables', async () => {
    lab.source('a.csv', '1,ann,5');
    await run(0);
    expect(await staleAt(1)).toEqual([]);
    const { stale, figures } = await measure(3);
    expect(stale.map(({ summary }) => summary)).toEqual([
      'the newest data of sales is from 2024-01-10T00:00:00.000Z, 3.0 h ago; 2.0 h are allowed',
    ]);
    const age = figures.find(({ metric }) => metric === 'dataset.freshness_seconds');
    expect(Math.round((age?.value ?? 0) / 60)).toBe(180);
    lab.source('b.csv', '2,bob,5');
    await run(3);
    expect(await staleAt(4)).toEqual([]);
  });

  it('is not mended by an empty run, by an old backfill, or by a rebuild', async () => {
    lab.source('a.csv', '1,ann,5');
    await run(0);
    expect(await staleAt(3)).toEqual(STALE);
    await run(3);
    expect(await staleAt(4)).toEqual(STALE);
    lab.source('old.csv', '3,old,5');
    await run(-48);
    expect(await lab.rows('gold/sizes')).toEqual([{ size: 2n }]);
    expect(await staleAt(5)).toEqual(STALE);
    await run(5, { rebuild: true });
    expect(await staleAt(6)).toEqual(STALE);
  });

  it('is held back by a table that did not follow, and not by one that had nothing to change', async () => {
    lab.source('a.csv', '1,ann,5');
    await run(0);
    lab.source('again.csv', '1,ann,5.0');
    await run(3);
    expect(await staleAt(4)).toEqual([]);
    lab.source('b.csv', '2,bob,5');
    await lab.fillBronze({ ...lab.newRun(), logicalTime: new Date(at(6)).toISOString() });
    expect(await staleAt(6)).toEqual(STALE);
    await run(7);
    expect(await staleAt(7)).toEqual([]);
  });

  it('is judged afresh from the log where what was remembered is lost', async () => {
    lab.source('a.csv', '1,ann,5');
    await run(0);
    for (let commit = 0; commit < 60; commit++) await lab.foreignCommit('bronze/sales');
    expect(await staleAt(1)).toEqual([]);
    await lab.deps.lake.delete(['_monitoring/lake.json']);
    expect(await staleAt(3)).toEqual(STALE);
  });

  it('is nobody’s concern where the dataset says so, and 30 hours where it says nothing', async () => {
    lab.edit('dataset.yaml', `${lab.datasetText()}freshness: none\n`);
    lab.source('a.csv', '1,ann,5');
    await run(0);
    expect(await staleAt(1000)).toEqual([]);
    lab.edit('dataset.yaml', lab.datasetText());
    expect(await staleAt(29)).toEqual([]);
    expect(await staleAt(31)).toEqual(STALE);
  });

  it('is unknown where the definition cannot be used, which is said', async () => {
    lab.edit('dataset.yaml', `${lab.datasetText()}freshness: soon\n`);
    expect((await measure(0)).stale).toMatchObject([
      { fingerprint: 'dataset_invalid{dataset=sales}', severity: 'error' },
    ]);
  });
});

describe('the figures of the lake', () => {
  it('tell how much was refused since the last sample', async () => {
    lab.source('a.csv', '1,ann,5', '2,bob,-5');
    await run(0);
    await measure(1);
    lab.source('b.csv', ...Array.from({ length: 1001 }, (_, row) => `${row + 10},x,-1`));
    await run(2);
    const { figures } = await measure(3);
    expect(figures.find(({ metric }) => metric === 'quarantine.new_rows')?.value).toBe(1001);
  });
});
