/** Datasets in mode `replace`: a file that changed takes the place of what it held before. */
import { utimesSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Lab } from './lab.js';

let lab: Lab;
let seconds = 1_700_000_000;
beforeEach(() => {
  lab = new Lab();
  lab.edit('dataset.yaml', lab.datasetText().replace('key: [id]', 'mode: replace'));
});
afterEach(() => lab.close());

/** Writes a file later than every one before. */
function put(name: string, ...lines: string[]): void {
  const path = lab.source(name, ...lines);
  seconds += 60;
  utimesSync(path, seconds, seconds);
}

const silver = async (): Promise<string[]> =>
  (
    await lab.rows<{ text: string }>(
      'silver/sales',
      "concat_ws(' ', id, name, amount::INTEGER) AS text",
      'ORDER BY _source_file, _source_line',
    )
  ).map(({ text }) => text);

it('keeps the rows of the newest state of each file, and what a file held once may come back', async () => {
  put('a.csv', '1,ann,1', '1,ann,1', '2,bob,2');
  put('b.csv', '3,eve,3');
  await lab.run();
  // Rows without a key are never doubles of each other.
  expect(await silver()).toEqual(['1 ANN 1', '1 ANN 1', '2 BOB 2', '3 EVE 3']);

  put('a.csv', '2,bob,20');
  const second = await lab.run();
  expect(await silver()).toEqual(['2 BOB 20', '3 EVE 3']);
  expect(second.silver?.ledger).toMatchObject({ read: 5, accepted: 2, duplicate: 3, quarantined: 0 });
  expect(await lab.rows('gold/totals', 'name, total', 'ORDER BY name')).toEqual([
    { name: 'BOB', total: 20 },
    { name: 'EVE', total: 3 },
  ]);

  put('a.csv', '1,ann,1', '1,ann,1', '2,bob,2');
  await lab.run();
  expect(await silver()).toEqual(['1 ANN 1', '1 ANN 1', '2 BOB 2', '3 EVE 3']);
});

it('adds a new file beside the others without making everything anew', async () => {
  put('a.csv', '1,ann,1');
  await lab.run();
  put('b.csv', '2,bob,2');
  const { silver: published } = await lab.run();
  expect(published?.ledger).toMatchObject({ read: 1, accepted: 1, duplicate: 0 });
  expect(await silver()).toEqual(['1 ANN 1', '2 BOB 2']);
  // Nothing is new: neither file is read again.
  expect((await lab.run()).bronze).toBeNull();
});

it('leaves what a file held where its newest state has no row, and sets refused rows of a state aside', async () => {
  put('a.csv', '1,ann,1', '2,bob,-2');
  await lab.run();
  expect(await silver()).toEqual(['1 ANN 1']);
  put('a.csv');
  await lab.run();
  expect(await silver()).toEqual(['1 ANN 1']);
  put('a.csv', '5,dan,-5');
  await lab.run();
  expect(await silver()).toEqual([]);
  expect(await lab.refused()).toEqual(['silver a.csv:2', 'silver a.csv:3']);
});
