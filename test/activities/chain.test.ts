/** The chain of one run after the other, over real files, the real engine and real Delta tables. */
import { utimesSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Lab, SILVER_SQL, withTable } from './lab.js';
import { reportOf } from './report.js';

const labs: Lab[] = [];
const newLab = (options?: ConstructorParameters<typeof Lab>[0]): Lab => {
  const made = new Lab(options);
  labs.push(made);
  return made;
};
afterEach(() => labs.splice(0).forEach((made) => made.close()));

const TOTALS = ['gold/totals', 'name, total', 'ORDER BY name'] as const;

describe.each(['memory', 'folder'] as const)('a lake in %s', (lake) => {
  it('takes a source to Gold, records the run, and tells of it', async () => {
    const lab = newLab({ lake });
    lab.source('a.csv', '1,ann,10', '2,bob,20', '3,ann,x', '4,eve,-1', '1,ann,11');
    const done = await lab.run();

    expect(done.discovery).toMatchObject({ listed: 1, known: 0, fresh: 1, current: null });
    expect(done.bronze).toMatchObject({
      status: 'published',
      ledger: { read: 5, accepted: 4, duplicate: 0, quarantined: 1 },
      table: { table: 'bronze.sales', version: 0, rows: 4, changed: true },
    });
    expect(done.silver).toMatchObject({
      status: 'published',
      ledger: { read: 4, accepted: 2, duplicate: 1, quarantined: 1 },
      table: { table: 'silver.sales', version: 0, rows: 2 },
    });
    expect(done.gold['totals']?.table).toMatchObject({ table: 'gold.totals', version: 0, rows: 2 });
    expect(await lab.rows(...TOTALS)).toEqual([
      { name: 'ANN', total: 11 },
      { name: 'BOB', total: 20 },
    ]);
    expect(await lab.refused()).toEqual(['bronze a.csv:4', 'silver a.csv:5']);

    await lab.do('recordRun', reportOf(done.run));
    const relayed = await lab.do('relayEvents', done.run);
    expect(relayed).toMatchObject({ sent: 5, pending: 0 });
    expect(lab.inbox.received.map(({ topic, event }) => `${topic} ${event.subject}`).sort()).toEqual([
      'datalab-events bronze.sales',
      'datalab-events gold.sizes',
      'datalab-events gold.totals',
      'datalab-events silver.sales',
      'datalab-notifications sales',
    ]);
    expect(lab.leftovers()).toEqual([]);
  });

  it('does nothing where nothing is new, and takes a second source in on top', async () => {
    const lab = newLab({ lake });
    lab.source('a.csv', '1,ann,10', '2,bob,20');
    await lab.run();
    const again = await lab.run();
    expect(again.discovery).toMatchObject({ listed: 1, known: 1, fresh: 0, manifest: null });
    expect([again.bronze, again.silver, again.gold['totals'], again.gold['sizes']]).toEqual(
      Array(4).fill(null),
    );
    expect(again.discovery.current).toMatchObject({ version: 0, rows: 2, changed: false });
    expect(again.written['silver']).toMatchObject({
      step: { outcome: 'skipped' },
      current: { version: 0, rows: 2, changed: false },
    });

    lab.source('b.csv', '2,bob,25', '3,eve,1');
    const second = await lab.run();
    expect(second.discovery).toMatchObject({ listed: 2, known: 1, fresh: 1 });
    expect(second.bronze).toMatchObject({ ledger: { read: 2, accepted: 2 }, table: { version: 1, rows: 4 } });
    expect(second.silver?.table).toMatchObject({ version: 1, rows: 3 });
    expect(await lab.rows(...TOTALS)).toEqual([
      { name: 'ANN', total: 10 },
      { name: 'BOB', total: 25 },
      { name: 'EVE', total: 1 },
    ]);
  });
});

it('does not ingest the same bytes under another name, alone or beside a new source', async () => {
  const lab = newLab();
  lab.source('a.csv', '1,ann,10');
  await lab.run();
  lab.source('copy.csv', '1,ann,10');
  const copied = await lab.run();
  expect(copied.discovery.fresh).toBe(1);
  expect(copied.bronze).toBeNull();
  expect(await lab.version('bronze/sales')).toBe(0);

  lab.source('new.csv', '2,bob,20');
  const mixed = await lab.run();
  expect(mixed.bronze?.ledger).toMatchObject({ read: 1, accepted: 1 });
  expect(await lab.rows('bronze/sales', 'id', 'ORDER BY id')).toEqual([{ id: 1n }, { id: 2n }]);
  // The copy is remembered as seen in the commit that came next: its bytes are not hashed for ever.
  expect((await lab.run()).discovery).toMatchObject({ listed: 3, known: 3, fresh: 0 });
});

it('does not take a run that was overtaken for a table that was restored', async () => {
  const lab = newLab();
  lab.source('a.csv', '1,ann,10');
  await lab.run();
  // Between the slow run's look at Bronze and its look at Silver, another run publishes both.
  lab.source('b.csv', '2,bob,20');
  const silver = lab.store('silver/sales');
  let other: Promise<unknown> | undefined;
  const overtaken = (store: typeof silver): typeof silver => {
    const get = store.get.bind(store);
    const list = store.list.bind(store);
    store.get = async (key, options) => {
      other ??= lab.run();
      await other;
      return get(key, options);
    };
    store.list = async function* (prefix, options) {
      other ??= lab.run();
      await other;
      yield* list(prefix, options);
    };
    return store;
  };
  const lake = withTable(lab.deps.lake, 'silver/sales', overtaken(silver));
  const slow = new Lab({ deps: () => ({ lake, loadDataset: lab.deps.loadDataset }) });
  const staged = await slow.do('writeSilver', lab.newRun(), {});
  slow.close();
  expect(staged.step).toMatchObject({ outcome: 'skipped', detail: 'current' });
  expect(await lab.rows('silver/sales', 'id', 'ORDER BY id')).toEqual([{ id: 1n }, { id: 2n }]);
});

it('refuses to go on by another definition than it was planned by', async () => {
  const lab = newLab();
  lab.source('a.csv', '1,ann,10');
  const run = lab.newRun();
  await lab.fillBronze(run);
  lab.edit('silver.sql', `${SILVER_SQL} -- edited`);
  await expect(lab.do('writeSilver', run, {})).rejects.toMatchObject({
    type: 'DATASET_CHANGED',
    nonRetryable: false,
  });
  expect((await lab.run()).silver?.status).toBe('published');
});

it('reads one of two sources with the same bytes that come at once', async () => {
  const lab = newLab();
  lab.source('a.csv', '1,ann,10', '2,bob,x');
  lab.source('b.csv', '1,ann,10', '2,bob,x');
  const { bronze } = await lab.run();
  expect(bronze?.ledger).toEqual({ read: 2, accepted: 1, duplicate: 0, quarantined: 1 });
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
  expect((await lab.run()).discovery).toMatchObject({ listed: 2, known: 2, fresh: 0 });
});

it('takes new content under a known path as a revision', async () => {
  const lab = newLab();
  lab.source('a.csv', '1,ann,10');
  await lab.run();
  const file = lab.source('a.csv', '1,ann,10', '2,bob,20');
  utimesSync(file, new Date(), new Date(Date.now() + 5000));
  const { bronze, silver } = await lab.run();
  expect(bronze?.ledger).toMatchObject({ read: 2, accepted: 2 });
  // Silver reads what is new in Bronze; the row that it has already is a duplicate.
  expect(silver?.ledger).toEqual({ read: 2, accepted: 1, duplicate: 1, quarantined: 0 });
});

it('fails the attempt where a source changed since it was listed', async () => {
  const lab = newLab();
  lab.source('a.csv', '1,ann,10');
  const run = lab.newRun();
  const { manifest } = await lab.do('discoverSources', run);
  lab.source('a.csv', '1,ann,10', '2,bob,20');
  await expect(lab.do('writeBronze', run, manifest ?? '')).rejects.toMatchObject({
    type: 'SOURCE_CHANGED',
    // The same listing would fail again: the flow lists anew instead.
    nonRetryable: true,
  });
  expect(await lab.version('bronze/sales')).toBeUndefined();
  expect(lab.leftovers()).toEqual([]);
});

it('publishes that a source was read even where every row of it was refused', async () => {
  const lab = newLab();
  lab.source('a.csv', 'x,ann,10');
  const run = lab.newRun();
  const staged = await lab.stageBronze(run);
  const { verdict } = await lab.do('auditBronze', run, staged);
  expect(verdict).toMatchObject({ score: null, blocked: false });
  expect(verdict.results.map(({ outcome }) => outcome)).toEqual(['skipped', 'skipped']);
  expect(await lab.do('publish', run, staged.manifest)).toMatchObject({
    status: 'published',
    ledger: { read: 1, accepted: 0, quarantined: 1 },
  });
  expect(await lab.refused()).toEqual(['bronze a.csv:2']);
  expect((await lab.run()).discovery.fresh).toBe(0);
});

it('blocks on the staged rows and publishes nothing, quarantine included', async () => {
  const lab = newLab();
  lab.edit('dataset.yaml', lab.datasetText().replace('min: 1 ', 'min: 3 '));
  lab.source('a.csv', '1,ann,10', '2,bob,20', 'x,bad,1');
  const run = lab.newRun();
  const { verdict } = await lab.do('auditBronze', run, await lab.stageBronze(run));
  expect(verdict.blocked).toBe(true);
  expect(verdict.results).toMatchObject([
    { kind: 'row_count', outcome: 'failed', measured: 2, threshold: 3 },
    { kind: 'score', outcome: 'failed' },
  ]);
  expect(await lab.version('bronze/sales')).toBeUndefined();
  expect(await lab.version('quarantine/sales')).toBeUndefined();
});

describe('a changed definition', () => {
  it('of silver.sql rebuilds Silver and Gold, and says why', async () => {
    const lab = newLab();
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    lab.edit('silver.sql', SILVER_SQL.replace('upper(name) AS name', "name || '!' AS name, 7 AS seven"));
    const { bronze, silver, gold, written } = await lab.run();
    expect(bronze).toBeNull();
    expect(written['silver']?.step.detail).toContain('its definition changed');
    expect(silver?.detail).toContain('its definition changed');
    expect(await lab.rows('silver/sales', 'name, seven')).toEqual([{ name: 'ann!', seven: 7 }]);
    expect(gold['totals']?.table?.version).toBe(1);
    expect(await lab.rows(...TOTALS)).toEqual([{ name: 'ann!', total: 10 }]);
    const info = await lab.table('silver/sales').commitInfo(1);
    expect(info['datalab']).toMatchObject({ kind: 'publish', rebuild: 'its definition changed' });
    expect((await lab.run()).silver).toBeNull();
  });

  it('of one Gold table rebuilds that one only', async () => {
    const lab = newLab();
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    lab.edit('totals.sql', 'SELECT name, max(amount) AS best FROM silver.sales GROUP BY name');
    const { silver, gold, written } = await lab.run();
    expect(silver).toBeNull();
    expect(gold['sizes']).toBeNull();
    expect(gold['totals']).toMatchObject({ status: 'published', table: { version: 1 } });
    expect(written['totals']?.step.detail).toContain('its definition changed');
    expect(await lab.rows('gold/totals', 'name, best')).toEqual([{ name: 'ANN', best: 10 }]);
  });

  it('that adds a column takes it up where sources have it', async () => {
    const lab = newLab();
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    const more = '  - { name: amount, type: double }\n  - { name: city, type: string, required: false }';
    lab.edit('dataset.yaml', lab.datasetText().replace('  - { name: amount, type: double }', more));
    lab.edit('silver.sql', SILVER_SQL.replace('amount,', 'amount, city,'));
    const file = lab.source('b.csv');
    writeFileSync(file, 'id,name,amount,city\n2,bob,20,Faro\n');
    expect((await lab.run()).silver?.status).toBe('published');
    expect(await lab.rows('silver/sales', 'id, city', 'ORDER BY id')).toEqual([
      { id: 1n, city: null },
      { id: 2n, city: 'Faro' },
    ]);
    expect((await lab.table('bronze/sales').snapshot()).schema.fields.map(({ name }) => name)).toContain(
      'city',
    );
  });

  it('that adds a column needs no new source', async () => {
    const lab = newLab();
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    const more = '  - { name: amount, type: double }\n  - { name: city, type: string, required: false }';
    lab.edit('dataset.yaml', lab.datasetText().replace('  - { name: amount, type: double }', more));
    lab.edit('silver.sql', SILVER_SQL.replace('amount,', 'amount, city,'));
    expect((await lab.run()).silver?.status).toBe('published');
    expect(await lab.rows('silver/sales', 'id, city')).toEqual([{ id: 1n, city: null }]);
  });

  it('that gives a column another type is refused, and leaves the tables as they were', async () => {
    const lab = newLab();
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    lab.edit('dataset.yaml', lab.datasetText().replace('name: id, type: long', 'name: id, type: string'));
    lab.source('b.csv', 'x2,bob,20');
    await expect(lab.run()).rejects.toMatchObject({ type: 'DELTA_SCHEMA_INVALID', nonRetryable: true });
    expect(await lab.rows('bronze/sales', 'id')).toEqual([{ id: 1n }]);
  });

  it('is what a rebuild that was asked for does not need', async () => {
    const lab = newLab();
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    const { silver, gold } = await lab.run({ rebuild: true });
    expect(silver).toMatchObject({ table: { version: 1 } });
    expect(silver?.detail).toContain('asked for');
    expect(gold['sizes']?.detail).toContain('asked for');
  });
});
