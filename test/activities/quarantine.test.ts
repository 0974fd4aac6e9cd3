/** Refused rows: each once, beside the layer that refused it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ObjectStore } from '../../src/delta/index.js';
import { Lab, withTable } from './lab.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

it('is there once however often the publish is repeated, with source, line, rule, reason, row and run', async () => {
  lab.source('a.csv', '1,ann,10', '2,bob,oops');
  const run = lab.newRun();
  const { manifest } = await lab.stageBronze(run);
  for (let time = 0; time < 3; time++) await lab.do('publish', run, manifest);
  const rows = await lab.rows<Record<string, unknown>>('quarantine/sales');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ layer: 'bronze', _source_line: 3n, _run_id: run.runId });
  expect(rows[0]?.['raw']).toContain('2,bob,oops');
  expect(rows[0]?.['rule']).toMatch(/^[a-z_]+$/);
  expect(rows[0]?.['reason']).toContain('amount');
});

// Every commit takes ids, and a table that is made takes one more: dying at each of them dies before, between and after.
it.each([1, 2, 3, 4])("is whole after a worker died at a publish's id %i", async (deadly) => {
  const survive = async (manifest: string): Promise<void> => {
    const { newId } = lab;
    let ids = 0;
    lab.newId = () => {
      if (++ids === deadly) throw new Error('killed');
      return newId();
    };
    const run = lab.newRun();
    await lab.do('publish', run, manifest).catch((error: Error) => expect(error.message).toContain('killed'));
    lab.newId = newId;
    expect((await lab.do('publish', run, manifest)).status).toBe('published');
  };
  lab.source('a.csv', '1,ann,10', '2,bob,oops', '3,eve,-3');
  await survive((await lab.stageBronze(lab.newRun())).manifest);
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
  await survive((await lab.stageSilver(lab.newRun())).manifest);
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'silver a.csv:4']);
  await survive((await lab.stageSilver(lab.newRun(), { rebuild: true })).manifest);
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'silver a.csv:4']);
  expect(await lab.rows('silver/sales', 'id')).toEqual([{ id: 1n }]);
});

it('keeps the rows of sources once where two runs share some of them', async () => {
  lab.source('a.csv', '1,ann,10', 'x,bob,1');
  const first = lab.newRun();
  const small = await lab.stageBronze(first);
  lab.source('b.csv', '2,eve,oops', '3,kim,oops');
  const second = lab.newRun();
  const large = await lab.stageBronze(second);
  expect((await lab.do('publish', first, small.manifest)).status).toBe('published');
  expect((await lab.do('publish', second, large.manifest)).status).toBe('conflict');
  // The loser takes its own rows away, and refuses what is left when it starts over.
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
  expect((await lab.fillBronze(second)).ledger).toEqual({
    read: 2,
    accepted: 0,
    duplicate: 0,
    quarantined: 2,
  });
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'bronze b.csv:2', 'bronze b.csv:3']);
});

it('refuses by the definition of today what a run of yesterday refused and never published', async () => {
  lab.source('a.csv', '1,ann,10', 'x,bob,1', '3,eve,');
  const died = lab.newRun();
  const { manifest } = await lab.stageBronze(died);
  const { newId } = lab;
  const { lake } = lab.deps;
  const bronzeDown = lake.at('bronze/sales');
  bronzeDown.putIfAbsent = () => Promise.reject(new Error('killed'));
  const worker = new Lab({ deps: () => ({ lake: withTable(lake, 'bronze/sales', bronzeDown), newId }) });
  await expect(worker.do('publish', died, manifest)).rejects.toThrow('killed');
  worker.close();
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);

  // The key was declared a number by mistake; as text the row is fine, and the one without an amount no longer is.
  lab.edit('dataset.yaml', lab.datasetText().replace('name: id, type: long', 'name: id, type: string'));
  const published = await lab.fillBronze();
  expect(published.ledger).toMatchObject({ read: 3, accepted: 3, quarantined: 0 });
  expect(await lab.refused()).toEqual([]);
});

it('leaves nothing of an attempt that added its rows late and then died for good', async () => {
  lab.source('a.csv', '1,ann,10', 'x,bob,1');
  const [dead, winner] = [lab.newRun(), lab.newRun()];
  const late = await lab.stageBronze(dead);
  const { manifest } = await lab.stageBronze(winner);
  // The dead attempt stands before its first commit to the quarantine while the winner publishes and settles.
  const store = lab.store('quarantine/sales');
  const snapshotted = lab.store('bronze/sales');
  const head = store.head.bind(store);
  store.head = async (key) => {
    store.head = head;
    expect((await lab.do('publish', winner, manifest)).status).toBe('published');
    // It gets as far as adding its rows, and never to Bronze.
    snapshotted.get = () => Promise.reject(new Error('terminated'));
    return head(key);
  };
  const lake = withTable(withTable(lab.deps.lake, 'quarantine/sales', store), 'bronze/sales', snapshotted);
  const worker = new Lab({ deps: () => ({ lake }) });
  await expect(worker.do('publish', dead, late.manifest)).rejects.toThrow('terminated');
  worker.close();
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
});

it('does not bring back what a newer generation has replaced', async () => {
  lab.source('a.csv', '1,ann,-1');
  await lab.fillBronze();
  const run = lab.newRun();
  const { manifest } = await lab.stageSilver(run);
  const store = lab.store('quarantine/sales');
  const head = store.head.bind(store);
  // The first attempt stalls before it adds; the second publishes; the rule is relaxed and another run publishes.
  store.head = async (key) => {
    store.head = head;
    expect((await lab.do('publish', run, manifest)).status).toBe('published');
    lab.edit('dataset.yaml', lab.datasetText().replace('amount >= 0', 'amount >= -2'));
    expect((await lab.run()).silver?.status).toBe('published');
    return head(key);
  };
  const worker = new Lab({ deps: () => ({ lake: withTable(lab.deps.lake, 'quarantine/sales', store) }) });
  expect((await worker.do('publish', run, manifest)).status).toBe('published');
  worker.close();
  expect(await lab.refused()).toEqual([]);
  expect(await lab.rows('silver/sales', 'id')).toEqual([{ id: 1n }]);
});

it("leaves the newer run's refused rows alone when an older attempt comes late", async () => {
  lab.source('a.csv', '1,ann,-1');
  await lab.fillBronze();
  const late = lab.newRun();
  const old = await lab.stageSilver(late);
  lab.source('b.csv', '3,eve,-3');
  await lab.run();
  expect(await lab.refused()).toEqual(['silver a.csv:2', 'silver b.csv:2']);
  expect((await lab.do('publish', late, old.manifest)).status).toBe('conflict');
  expect(await lab.refused()).toEqual(['silver a.csv:2', 'silver b.csv:2']);
});

it('loses none of the rows where two runs that share a source publish at once', async () => {
  lab.source('a.csv', '1,ann,10', 'x,bob,1');
  const first = lab.newRun();
  const small = await lab.stageBronze(first);
  lab.source('b.csv', '2,eve,oops');
  const second = lab.newRun();
  const large = await lab.stageBronze(second);
  await Promise.all([lab.do('publish', first, small.manifest), lab.do('publish', second, large.manifest)]);
  await lab.run();
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'bronze b.csv:2']);
  expect(await lab.rows('bronze/sales', 'id')).toHaveLength(1);
});

it("gives Silver's refused rows way to its new ones, and leaves Bronze's alone", async () => {
  lab.source('a.csv', '1,ann,-1', 'x,bob,1', '2,bob,20');
  await lab.run();
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'silver a.csv:2']);
  lab.source('b.csv', '3,eve,-3');
  await lab.run();
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'silver a.csv:2', 'silver b.csv:2']);
  lab.edit('dataset.yaml', lab.datasetText().replace('amount >= 0', 'amount >= -2'));
  await lab.run();
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'silver b.csv:2']);
  lab.edit('dataset.yaml', lab.datasetText().replace('amount >= 0', 'id > 0'));
  await lab.run();
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
});

it('has a row once where two runs publish the first Silver at once', async () => {
  lab.source('a.csv', '1,ann,10', '2,bob,-2', 'x,bad,1');
  await lab.fillBronze();
  const staged = [];
  for (const run of [lab.newRun(), lab.newRun()]) staged.push({ run, ...(await lab.stageSilver(run)) });
  // Two workers, whose first commits to the quarantine wait for each other: both have read the same version.
  const waiting: Array<() => void> = [];
  const meet = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) waiting.forEach((go) => go());
    });
  const workers = staged.map(() => new Lab({ deps: () => ({ lake: meeting(lab.deps.lake, meet) }) }));
  try {
    const results = await Promise.all(
      staged.map(({ run, manifest }, index) => (workers[index] as Lab).do('publish', run, manifest)),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['conflict', 'published']);
  } finally {
    workers.forEach((worker) => worker.close());
  }
  expect(await lab.refused()).toEqual(['bronze a.csv:4', 'silver a.csv:3']);
});

/** The store, whose first commit to the quarantine happens after `meet`. */
function meeting(lake: ObjectStore, meet: () => Promise<void>): ObjectStore {
  const store = lake.at('quarantine/sales');
  const putIfAbsent = store.putIfAbsent.bind(store);
  let met = false;
  store.putIfAbsent = async (key, bytes) => {
    if (!met) await meet();
    met = true;
    return putIfAbsent(key, bytes);
  };
  return withTable(lake, 'quarantine/sales', store);
}
