/** A source whose place depends on the logical time: each run reads its own day, and a late day is not lost. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PlannedRun } from '../../src/contracts/activities.js';
import { HEADER, Lab } from './lab.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
  lab.edit('dataset.yaml', lab.datasetText().replace('in/*.csv', "'in/{date}/*.csv'"));
});
afterEach(() => lab.close());

function day(date: string, ...lines: string[]): void {
  mkdirSync(path.join(lab.folder, 'in', date), { recursive: true });
  writeFileSync(
    path.join(lab.folder, 'in', date, 'a.csv'),
    HEADER + lines.map((line) => `${line}\n`).join(''),
  );
}

const runFor = (date: string): PlannedRun => ({ ...lab.newRun(), logicalTime: `${date}T06:00:00.000Z` });

it('reads the day that the run is for, in whatever order the days come', async () => {
  day('2024-01-01', '1,ann,1');
  day('2024-01-02', '2,bob,2');
  expect((await lab.run({}, runFor('2024-01-02'))).discovery).toMatchObject({ listed: 1, fresh: 1 });
  expect(await lab.rows('silver/sales', 'id')).toEqual([{ id: 2n }]);
  expect((await lab.run({}, runFor('2024-01-01'))).discovery).toMatchObject({ fresh: 1 });
  expect((await lab.run({}, runFor('2024-01-01'))).discovery).toMatchObject({ fresh: 0, known: 1 });
  expect((await lab.run({}, runFor('2024-01-03'))).discovery).toMatchObject({ listed: 0, fresh: 0 });
  expect(await lab.rows('silver/sales', 'id', 'ORDER BY id')).toEqual([{ id: 1n }, { id: 2n }]);
});

it('finds the files of refused rows on whatever day they came', async () => {
  day('2024-01-01', 'x,ann,1');
  day('2024-01-02', '2,bob,oops');
  await lab.run({}, runFor('2024-01-01'));
  await lab.run({}, runFor('2024-01-02'));
  const { replay } = await lab.do('writeReplay', runFor('2024-06-01'), {});
  expect(replay).toMatchObject({ tried: 2, refused: 2, unreachable: 0 });
});
