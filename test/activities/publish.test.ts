/** Publish: once however often it is asked, and nothing at all where somebody else came first. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Lab, withTable } from './lab.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

describe('repeated with the same manifest', () => {
  it('answers with the version and the ledger of the first time, and commits nothing', async () => {
    lab.source('a.csv', '1,ann,10', 'x,bob,1');
    const run = lab.newRun();
    const { manifest } = await lab.stageBronze(run);
    const first = await lab.do('publish', run, manifest);
    const refusedVersion = await lab.version('quarantine/sales');
    const second = await lab.do('publish', run, manifest);
    expect(second).toMatchObject({ status: 'published', table: first.table, ledger: first.ledger });
    expect(first.ledger).toEqual({ read: 2, accepted: 1, duplicate: 0, quarantined: 1 });
    expect(await lab.version('bronze/sales')).toBe(0);
    expect(await lab.version('quarantine/sales')).toBe(refusedVersion);
  });

  it('finds its version below the commits of others, in a worker that knows nothing yet', async () => {
    lab.source('a.csv', '1,ann,10');
    const run = lab.newRun();
    const { manifest } = await lab.stageBronze(run);
    const first = await lab.do('publish', run, manifest);
    await lab.foreignCommit('bronze/sales');
    lab.source('b.csv', '2,bob,20');
    await lab.fillBronze();
    const other = new Lab({ deps: () => ({ lake: lab.deps.lake }) });
    try {
      const again = await other.do('publish', run, manifest);
      expect(again).toMatchObject({ status: 'published', table: first.table, ledger: first.ledger });
    } finally {
      other.close();
    }
    expect(await lab.version('bronze/sales')).toBe(2);
    expect(await lab.rows('bronze/sales', 'id', 'ORDER BY id')).toHaveLength(2);
  });

  it('answers even when its files are old or gone, since they were published', async () => {
    lab.source('a.csv', '1,ann,10');
    await lab.fillBronze();
    const run = lab.newRun();
    const { manifest } = await lab.stageSilver(run);
    const first = await lab.do('publish', run, manifest);
    await lab.run({ rebuild: true });
    const { adds } = await lab.manifest(manifest);
    await lab.store('silver/sales').delete(adds.map(({ path }) => path));
    lab.passDays(10);
    expect(await lab.do('publish', run, manifest)).toMatchObject({ status: 'published', table: first.table });
  });
  it('knows the commit of an attempt that was given up too early as its own', async () => {
    lab.source('a.csv', '1,ann,10', 'x,bob,1');
    const run = lab.newRun();
    const { manifest } = await lab.stageBronze(run);
    const store = lab.store('bronze/sales');
    const putIfAbsent = store.putIfAbsent.bind(store);
    // The first attempt wakes up and commits while the second is about to.
    store.putIfAbsent = async (key, bytes) => {
      store.putIfAbsent = putIfAbsent;
      expect((await lab.do('publish', run, manifest)).status).toBe('published');
      return putIfAbsent(key, bytes);
    };
    const second = new Lab({ deps: () => ({ lake: withTable(lab.deps.lake, 'bronze/sales', store) }) });
    try {
      expect(await second.do('publish', run, manifest)).toMatchObject({
        status: 'published',
        table: { version: 0, rows: 1 },
      });
    } finally {
      second.close();
    }
    expect(await lab.rows('bronze/sales', 'id')).toEqual([{ id: 1n }]);
    expect(await lab.refused()).toEqual(['bronze a.csv:3']);
  });
});

describe('against a table that has moved', () => {
  it('lets one of two ingests of the same sources through', async () => {
    lab.source('a.csv', '1,ann,10', '2,bob,20');
    const [left, right] = [lab.newRun(), lab.newRun()];
    const [first, second] = [await lab.stageBronze(left), await lab.stageBronze(right)];
    const results = await Promise.all([
      lab.do('publish', left, first.manifest),
      lab.do('publish', right, second.manifest),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['conflict', 'published']);
    const loser = results.find(({ status }) => status === 'conflict');
    expect(loser).toMatchObject({ table: null, step: { outcome: 'conflict' } });
    expect(await lab.rows('bronze/sales', 'id')).toHaveLength(2);
    expect((await lab.do('discoverSources', right)).fresh).toBe(0);
  });

  it('conflicts with an ingest of other sources too: the loser discovers again', async () => {
    lab.source('a.csv', '1,ann,10');
    await lab.fillBronze();
    lab.source('b.csv', '2,bob,20');
    const slow = lab.newRun();
    const { manifest } = await lab.stageBronze(slow);
    lab.source('c.csv', '3,eve,30');
    await lab.fillBronze();
    expect((await lab.do('publish', slow, manifest)).status).toBe('conflict');
    expect(await lab.version('bronze/sales')).toBe(1);
    expect(await lab.rows('bronze/sales', 'id')).toHaveLength(3);
  });

  it('goes on top of a commit that changed no row of Bronze', async () => {
    lab.source('a.csv', '1,ann,10');
    await lab.fillBronze();
    lab.source('b.csv', '2,bob,20');
    const run = lab.newRun();
    const { manifest } = await lab.stageBronze(run);
    await lab.foreignCommit('bronze/sales');
    expect(await lab.do('publish', run, manifest)).toMatchObject({
      status: 'published',
      table: { version: 2, rows: 2 },
    });
  });

  it('leaves a Silver alone that another run published in between', async () => {
    lab.source('a.csv', '1,ann,10');
    await lab.run();
    const slow = lab.newRun();
    const { manifest } = await lab.stageSilver(slow, { rebuild: true });
    lab.source('b.csv', '1,ann,15');
    await lab.run();
    const before = await lab.version('silver/sales');
    expect((await lab.do('publish', slow, manifest)).status).toBe('conflict');
    expect(await lab.version('silver/sales')).toBe(before);
    expect(await lab.rows('silver/sales', 'id, amount')).toEqual([{ id: 1n, amount: 15 }]);
  });

  it('conflicts where two runs make the table', async () => {
    lab.source('a.csv', '1,ann,10');
    await lab.fillBronze();
    const [left, right] = [lab.newRun(), lab.newRun()];
    const [first, second] = [await lab.stageSilver(left), await lab.stageSilver(right)];
    expect((await lab.do('publish', left, first.manifest)).status).toBe('published');
    expect((await lab.do('publish', right, second.manifest)).status).toBe('conflict');
    expect(await lab.rows('silver/sales', 'id')).toHaveLength(1);
  });
});

describe('of what cannot be published', () => {
  it('says that the manifest is gone', async () => {
    await expect(lab.do('publish', lab.newRun(), '_staging/run-1/nothing.json')).rejects.toMatchObject({
      type: 'STAGING_MISSING',
      nonRetryable: true,
    });
  });

  it.each(['bronze', 'quarantine'])(
    'says that the staged files of %s are gone, and publishes nothing',
    async (layer) => {
      lab.source('a.csv', '1,ann,10', 'x,bob,1');
      const run = lab.newRun();
      const { manifest } = await lab.stageBronze(run);
      const { adds, quarantine } = await lab.manifest(manifest);
      const gone = layer === 'bronze' ? adds : (quarantine?.adds ?? []);
      expect(gone).toHaveLength(1);
      await lab.store(`${layer}/sales`).delete(gone.map(({ path }) => path));
      await expect(lab.do('publish', run, manifest)).rejects.toMatchObject({ type: 'DELTA_STAGED_MISSING' });
      expect(await lab.version('bronze/sales')).toBeUndefined();
      expect(await lab.version('quarantine/sales')).toBeUndefined();
    },
  );

  it('says that a staged file was cut', async () => {
    lab.source('a.csv', '1,ann,10');
    const run = lab.newRun();
    const { manifest } = await lab.stageBronze(run);
    const [add] = (await lab.manifest(manifest)).adds;
    await lab.store('bronze/sales').put(add?.path ?? '', Buffer.from('cut'));
    await expect(lab.do('publish', run, manifest)).rejects.toMatchObject({ type: 'DELTA_STAGED_MISSING' });
  });

  it('takes files of just under 3.5 days, and refuses older ones', async () => {
    lab.source('a.csv', '1,ann,10');
    const run = lab.newRun();
    const { manifest } = await lab.stageBronze(run);
    lab.passDays(3.51);
    await expect(lab.do('publish', run, manifest)).rejects.toMatchObject({
      type: 'STAGING_EXPIRED',
      nonRetryable: true,
    });
    expect(await lab.version('bronze/sales')).toBeUndefined();
    lab.passDays(-0.02);
    expect((await lab.do('publish', run, manifest)).status).toBe('published');
  });
});
