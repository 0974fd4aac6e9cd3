/** A rebuild of Silver after retention took rows out of Bronze loses none of what Silver made of them. */
import { afterEach, expect, it } from 'vitest';
import { retentionTransaction } from '../../src/medallion/transactions.js';
import { Lab, SILVER_SQL } from './lab.js';

let lab: Lab;
afterEach(() => lab.close());

/** What maintenance commits: rows of Bronze that came before the instant go, as news to nobody. */
async function forget(before: string): Promise<void> {
  await lab.table('bronze/sales').delete({
    where: `_ingested_at < TIMESTAMPTZ '${before}'`,
    transaction: { appId: retentionTransaction('_ingested_at'), version: Date.parse(before) },
    info: { datalab: { kind: 'retention' } },
  });
}

const silver = (columns = 'id, name, amount, _source_line, _ingested_at') =>
  lab.rows('silver/sales', columns, 'ORDER BY id');

/** Three old rows with one superseded and one refused, then two young ones. Returns Silver before Bronze forgets. */
async function history(): Promise<object[]> {
  lab = new Lab({ lake: 'folder' });
  lab.source('old.csv', '1,ann,10', '2,bob,20', '2,bobby,21', '3,eve,-5');
  await lab.run();
  lab.passDays(50);
  lab.source('young.csv', '1,anna,11', '4,joe,4');
  await lab.run();
  const before = await silver();
  await forget(new Date(lab.nowMs - 10 * 24 * 3600_000).toISOString());
  expect(await lab.rows('bronze/sales', 'id', 'ORDER BY id')).toEqual([{ id: 1n }, { id: 4n }]);
  return before;
}

it('gives the rows that a rebuild from the whole of Bronze gave, and says how many it kept', async () => {
  const before = await history();
  const rebuilt = await lab.run({ rebuild: true });
  expect(await silver()).toEqual(before);
  expect(rebuilt.silver?.ledger).toEqual({ read: 3, accepted: 3, duplicate: 0, quarantined: 0 });
  expect(rebuilt.written['silver']?.step.detail).toContain('1 published rows kept');
  // Again, and by increments after it.
  await lab.run({ rebuild: true });
  expect(await silver()).toEqual(before);
  lab.source('next.csv', '5,zoe,5');
  expect((await lab.run()).silver?.ledger.read).toBe(1);
});

it('lets a newer row win over a kept one, and a kept one win over an older', async () => {
  await history();
  await lab.run({ rebuild: true });
  lab.source('newer.csv', '2,bob the third,30');
  await lab.run();
  await lab.run({ rebuild: true });
  expect(await silver('id, name')).toEqual([
    { id: 1n, name: 'ANNA' },
    { id: 2n, name: 'BOB THE THIRD' },
    { id: 4n, name: 'JOE' },
  ]);
});

it('keeps old rows under a changed definition, with columns that they never had as NULL', async () => {
  await history();
  lab.edit('silver.sql', SILVER_SQL.replace('amount,', 'amount, id * 10 AS tenfold,'));
  const changed = await lab.run();
  expect(changed.written['silver']?.step.detail).toContain('rebuilt: its definition changed');
  expect(await silver('id, amount, tenfold')).toEqual([
    { id: 1n, amount: 11, tenfold: 10n },
    { id: 2n, amount: 21, tenfold: null },
    { id: 4n, amount: 4, tenfold: 40n },
  ]);
});

it('refuses to drop rows that no longer fit, unless that is accepted', async () => {
  const before = await history();
  const stricter = lab.datasetText().replace('must: amount >= 0', 'must: amount <> 21');
  lab.edit('dataset.yaml', stricter);
  await expect(lab.run()).rejects.toMatchObject({ type: 'SILVER_HISTORY_UNFIT', nonRetryable: true });
  expect(await silver()).toEqual(before);
  await lab.run({ rebuild: true, acceptLoss: true });
  expect(await silver('id')).toEqual([{ id: 1n }, { id: 4n }]);
});

it('leaves rows out that somebody deleted from Bronze for a reason, as a rebuild always did', async () => {
  await history();
  await lab.table('bronze/sales').delete({ where: 'id = 4' });
  await lab.run();
  expect(await silver('id')).toEqual([{ id: 1n }, { id: 2n }]);
});
