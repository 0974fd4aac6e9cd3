/** Events: never lost, told again under the same id where it is not known whether they were told. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DatalabError } from '../../src/contracts/errors.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

let lab: Lab;
beforeEach(async () => {
  lab = new Lab();
  lab.source('a.csv', '1,ann,10');
  const { run } = await lab.run();
  await lab.do('recordRun', reportOf(run));
});
afterEach(() => lab.close());

const relay = (target = lab) => target.do('relayEvents', target.newRun());

it('sends each event once while nothing goes wrong', async () => {
  expect(await relay()).toMatchObject({ sent: 5, pending: 0, detail: '' });
  expect(new Set(lab.inbox.ids()).size).toBe(5);
  expect(await relay()).toMatchObject({ sent: 0, pending: 0 });
  expect(lab.inbox.ids()).toHaveLength(5);
});

it('says in an event what was published', async () => {
  await relay();
  const silver = lab.inbox.received.find(({ event }) => event.subject === 'silver.sales')?.event;
  const { metadata } = await lab.table('silver/sales').snapshot();
  expect(silver).toMatchObject({
    specversion: '1.0',
    id: `${metadata.id}:0`,
    type: 'io.datalab.table.published',
    datacontenttype: 'application/json',
    data: {
      table: 'silver.sales',
      tableId: metadata.id,
      version: 0,
      rows: 1,
      dataset: 'sales',
      runId: 'run-1',
      ledger: { read: 1, accepted: 1, duplicate: 0, quarantined: 0 },
    },
  });
});

it('leaves everything pending while the broker is away, and then sends all of it', async () => {
  lab.inbox.down();
  const away = await relay();
  expect(away).toMatchObject({ sent: 0, pending: 5, step: { outcome: 'skipped' } });
  expect(away.detail).toContain('nobody listens');
  lab.source('b.csv', '2,bob,20');
  await lab.run();
  expect(await relay()).toMatchObject({ sent: 0, pending: 9 });
  expect(lab.inbox.received).toEqual([]);
  lab.inbox.up();
  expect(await relay()).toMatchObject({ sent: 9, pending: 0 });
  expect(new Set(lab.inbox.ids()).size).toBe(9);
});

it('sends again, with the same ids, what a broker took of a batch that failed half way', async () => {
  let batches = 0;
  lab.inbox.before = () => {
    if (++batches > 1) throw new DatalabError('EVENTS_UNAVAILABLE', 'it went away');
  };
  expect(await relay()).toMatchObject({ sent: 0, pending: 5 });
  const half = lab.inbox.ids();
  expect(half.length).toBeGreaterThan(0);
  lab.inbox.up();
  await relay();
  expect(lab.inbox.ids()).toHaveLength(half.length + 5);
  expect(new Set(lab.inbox.ids()).size).toBe(5);
});

it('keeps events pending where Kafka is off, and says so', async () => {
  const off = new Lab({ deps: () => ({ events: null, lake: lab.deps.lake }) });
  try {
    off.edit('dataset.yaml', lab.datasetText());
    const told = await relay(off);
    expect(told).toMatchObject({ sent: 0, pending: 5 });
    expect(told.detail).toContain('Kafka');
  } finally {
    off.close();
  }
  expect(await relay()).toMatchObject({ sent: 5 });
});

it.each([
  ['the first time', false],
  ['later', true],
])('sends again, the same to the byte, after a crash between send and cursor, %s', async (_when, later) => {
  if (later) {
    await relay();
    lab.source('b.csv', '2,bob,20');
    await lab.run();
    lab.inbox.received.splice(0);
  }
  const { newId } = lab;
  lab.inbox.after = () => {
    lab.newId = () => {
      throw new Error('killed');
    };
  };
  await expect(relay()).rejects.toThrow('killed');
  const first = structuredClone(lab.inbox.received.splice(0));
  expect(first.length).toBeGreaterThan(0);
  lab.inbox.after = () => undefined;
  lab.newId = newId;
  lab.inbox.before = () => undefined;
  await relay();
  for (const sent of first) expect(lab.inbox.received).toContainEqual(sent);
  expect(lab.inbox.received).toHaveLength(later ? 4 : 5);
});

it('skips nothing where several versions came since, and passes over commits of others', async () => {
  await relay();
  lab.inbox.received.splice(0);
  for (const number of [2, 3, 4]) {
    lab.source(`b${number}.csv`, `${number},bob,20`);
    await lab.run();
    await lab.foreignCommit('bronze/sales');
  }
  expect(await relay()).toMatchObject({ sent: 12, pending: 0 });
  const versions = (subject: string): unknown[] =>
    lab.inbox.received
      .filter(({ event }) => event.subject === subject)
      .map(({ event }) => (event.data as { version: number }).version);
  expect(versions('bronze.sales')).toEqual([1, 3, 5]);
  expect(versions('silver.sales')).toEqual([1, 2, 3]);
});

it('skips nothing where two relays run at once', async () => {
  await Promise.all([relay(), relay()]);
  await relay();
  expect(new Set(lab.inbox.ids()).size).toBe(5);
});

it('never takes a cursor back that another relay moved further', async () => {
  let overtaken: Promise<unknown> | undefined;
  const { send } = lab.inbox;
  lab.inbox.send = async (topic, events) => {
    overtaken ??= (async () => {
      lab.inbox.send = send;
      lab.source('b.csv', '2,bob,20');
      await lab.run();
      await relay();
    })();
    await overtaken;
    return send.call(lab.inbox, topic, events);
  };
  await relay();
  expect(new Set(lab.inbox.ids()).size).toBe(9);
  expect(await relay()).toMatchObject({ sent: 0, pending: 0 });
});

it('tells of a failed run whose dataset cannot be loaded', async () => {
  await relay();
  const run = { ...lab.newRun(), dataset: 'nowhere' };
  await lab.do(
    'recordRun',
    reportOf(run, { outcome: 'failed', error: { code: 'DATASET_UNKNOWN', message: 'no' } }),
  );
  expect(await lab.do('relayEvents', run)).toMatchObject({ sent: 1, pending: 0 });
  expect(lab.inbox.received.at(-1)).toMatchObject({
    topic: 'datalab-notifications',
    event: { id: `run:${run.executionId}`, type: 'io.datalab.run.failed', subject: 'nowhere' },
  });
});

it('fails with the error itself where the broker refuses what it is sent', async () => {
  lab.inbox.before = () => {
    throw new TypeError('not an event');
  };
  await expect(relay()).rejects.toMatchObject({ type: 'UNEXPECTED', nonRetryable: true });
  lab.inbox.up();
  expect(await relay()).toMatchObject({ sent: 5 });
});
