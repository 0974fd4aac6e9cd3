/** Maintenance of a lake that real runs of the real activities made. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import type { LakeMaintenanceInput } from '../../src/contracts/lake-maintenance.js';
import { DeltaTable } from '../../src/delta/index.js';
import { Lab, type LabState } from './lab.js';
import { maintainLab, type Maintained } from './maintain-lab.js';

let lab: Lab;
afterEach(() => lab.close());

const running = new Set<string>();
const maintain = (input?: LakeMaintenanceInput, yaml?: string): Promise<Maintained> =>
  maintainLab(lab, input, { running, ...(yaml !== undefined && { yaml }) });

/** `table task outcome` of everything that was touched. */
const words = ({ tended }: Pick<Maintained, 'tended'>): string[] =>
  tended.flatMap(({ table, tasks }) => tasks.map(({ task, outcome }) => `${table} ${task} ${outcome}`));

let afterTen: LabState | undefined;
afterAll(() => afterTen && rmSync(afterTen.copy, { recursive: true, force: true }));

/** A lake of ten runs with a row each, the last of which is refused; made once. */
async function tenRuns(): Promise<void> {
  lab = new Lab({ lake: 'folder', ...(afterTen && { state: afterTen }) });
  // Files have the machine's time, rows the lab's.
  lab.nowMs = Date.now();
  if (afterTen) return;
  for (let number = 1; number <= 10; number += 1) {
    lab.source(`${number}.csv`, `${number},name${number},${number === 10 ? -1 : number}`);
    await lab.run();
  }
  afterTen = lab.saved();
}
const silver = () => lab.rows('silver/sales', 'id, name, amount', 'ORDER BY id');
const versions = async () =>
  Promise.all(
    ['bronze/sales', 'silver/sales', 'gold/totals', 'quarantine/sales'].map((name) => lab.version(name)),
  );

it('packs what needs it, leaves healthy tables alone, and finds nothing to do the second time', async () => {
  await tenRuns();
  const before = await silver();
  const planned = await maintain({ dryRun: true });
  const untouched = await versions();
  expect(words(planned)).toContain('bronze.sales optimize planned');
  expect(await versions()).toEqual(untouched);
  expect(await lab.version('meta/maintenance')).toBeUndefined();

  const first = await maintain();
  expect(words(first)).toEqual(words(planned).map((word) => word.replace(/planned$/, 'done')));
  expect(await silver()).toEqual(before);
  const second = await maintain();
  expect(second.tended).toEqual([]);
  expect(second.healthy).toBeGreaterThan(4);
  expect(await lab.rows('meta/maintenance', 'DISTINCT outcome', 'ORDER BY outcome')).toEqual([
    { outcome: 'done' },
    { outcome: 'healthy' },
    { outcome: 'ok' },
  ]);

  // And the next run still goes by increments.
  lab.source('next.csv', '11,zoe,3');
  expect((await lab.run()).silver?.ledger.read).toBe(1);
});

it('lets rows go when their time is over, as news to nobody', async () => {
  await tenRuns();
  const [rows, gold] = [await silver(), await lab.version('gold/totals')];
  lab.passDays(60);
  lab.source('young.csv', '12,young,12');
  await lab.run();
  lab.passDays(45);
  const planned = await maintain({ dryRun: true });
  expect(words(planned)).toContain('bronze.sales retention planned');
  expect(await lab.rows('bronze/sales', 'count(*) AS n')).toEqual([{ n: 11n }]);
  const done = await maintain();
  expect(words(done)).toContain('bronze.sales retention done');
  expect(words(done)).toContain('quarantine.sales retention done');
  const task = done.tended.find(({ table }) => table === 'bronze.sales')?.tasks[0];
  expect(task).toMatchObject({ task: 'retention', rows: 10 });
  expect(await lab.rows('bronze/sales', 'id')).toEqual([{ id: 12n }]);
  expect(await lab.rows('quarantine/sales', 'count(*) AS n')).toEqual([{ n: 0n }]);
  const idle = await lab.run();
  expect([idle.bronze, idle.silver, idle.gold['totals']]).toEqual([null, null, null]);
  expect(await silver()).toEqual([...rows, { id: 12n, name: 'YOUNG', amount: 12 }]);
  expect(await lab.version('gold/totals')).toBeGreaterThan(gold ?? 0);
});

it('keeps rows of a table on hold, and rows that Silver has not taken in', async () => {
  await tenRuns();
  lab.source('unread.csv', '13,unread,13');
  await lab.fillBronze();
  lab.passDays(100);
  const held = await maintain(
    { tables: ['bronze.sales'] },
    'maintenance: { retention: { tables: [{ table: bronze.sales, hold: true }] } }',
  );
  expect(words(held).filter((word) => word.includes('retention'))).toEqual([]);
  const unread = await maintain({ tables: ['bronze.sales'] });
  expect(words(unread)).toContain('bronze.sales retention kept');
  expect(unread.tended[0]?.tasks[0]?.detail).toContain('run the dataset first');
  expect(await lab.rows('bronze/sales', 'count(*) AS n')).toEqual([{ n: 11n }]);
  await lab.run();
  expect(words(await maintain({ tables: ['bronze.sales'] }))).toContain('bronze.sales retention done');
  expect(await lab.rows('silver/sales', 'count(*) AS n')).toEqual([{ n: 10n }]);
});

it('steps aside while a run of the dataset is in progress', async () => {
  await tenRuns();
  running.add('sales');
  try {
    const before = await versions();
    const aside = await maintain();
    const own = words(aside).filter((word) => !word.startsWith('meta.') && !word.includes(' audit '));
    expect(own.length).toBeGreaterThan(0);
    expect(own.every((word) => word.endsWith(' aside'))).toBe(true);
    expect(await versions()).toEqual(before);
  } finally {
    running.clear();
  }
});

it('deletes unneeded files after their time only, and what it leaves is whole', async () => {
  await tenRuns();
  await maintain();
  const rows = await silver();
  // Silver's ten replaced files are younger than a week.
  expect(words(await maintain()).filter((word) => word.includes('vacuum'))).toEqual([]);
  lab.nowMs = Date.now() + 8 * 24 * 3600_000;
  const planned = await maintain({ dryRun: true });
  expect(words(planned)).toContain('silver.sales vacuum planned');
  const done = await maintain();
  expect(words(done)).toContain('silver.sales vacuum done');
  const table = done.tended.find((one) => one.table === 'silver.sales');
  expect(table?.after.folderBytes).toBeLessThan(table?.before.folderBytes ?? 0);
  expect(await silver()).toEqual(rows);
  expect((await lab.table('silver/sales').fsck()).findings).toEqual([]);
});

it('says which table it does not know', async () => {
  lab = new Lab();
  await expect(maintain({ tables: ['silver.nowhere'] })).rejects.toMatchObject({ type: 'TABLE_UNKNOWN' });
});

const WORN =
  'maintenance: { retention: { tables: [{ table: silver.worn, column: day, days: 30 }] }, keepFilesDays: 8 }';

/** A table of 24 rows with a file each, six of them of the year 2000. */
async function fill(name: string): Promise<DeltaTable> {
  const { clock, engine, newId } = lab.deps;
  const table = new DeltaTable(lab.store(`silver/${name}`), { clock, engine, newId });
  for (let id = 0; id < 24; id += 1)
    await table.append({ sql: `SELECT ${id} AS id, DATE '2000-01-01' + ${id < 6 ? 0 : 20_000} AS day` });
  return table;
}

/** One that has a need of every kind. */
async function worn(): Promise<void> {
  const table = await fill('worn');
  await table.delete({ where: 'id >= 18' });
  await table.checkpoint();
}

it('plans every task with the files and bytes that it then touches', async () => {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  await worn();
  await fill('unread');
  lab.passDays(40);
  const figures = ({ tended }: Maintained) =>
    Object.fromEntries(
      tended.flatMap(({ table, tasks }) =>
        tasks.map(({ task, files, bytes }) => [`${table} ${task}`, [files, bytes] as const]),
      ),
    );
  const planned = await maintain({ dryRun: true }, WORN);
  expect(words(planned)).toEqual([
    ...['retention', 'optimize', 'vacuum', 'clean-log'].map((task) => `silver.worn ${task} planned`),
    ...['optimize', 'checkpoint'].map((task) => `silver.unread ${task} planned`),
  ]);
  const plan = figures(planned);
  for (const [task, [files, bytes]] of Object.entries(plan)) {
    expect(files, task).toBeGreaterThan(0);
    expect(bytes, task).toBeGreaterThan(0);
  }
  expect(plan['silver.unread checkpoint']?.[0]).toBe(23);
  const done = figures(await maintain({}, WORN));
  for (const task of ['silver.worn retention', 'silver.worn vacuum', 'silver.worn clean-log'])
    expect(done[task], task).toEqual(plan[task]);
  expect(done['silver.unread optimize']).toEqual(plan['silver.unread optimize']);
});

it('says what the time of a table left, and the next runs go on there until nothing is left', async () => {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  await worn();
  lab.passDays(40);
  // Over at the first question.
  const yaml = WORN.replace('maintenance: {', 'maintenance: { tableMinutes: 0.001,');
  const first = await maintain({}, yaml);
  expect(words(first)).toEqual([
    'silver.worn retention done',
    ...['optimize', 'vacuum', 'clean-log'].map((task) => `silver.worn ${task} left`),
  ]);
  expect(first.report.left).toEqual(['silver.worn']);
  const advice = first.report.recommendations.find(({ reason }) => reason.includes('silver.worn'));
  expect(advice).toMatchObject({ weight: 'consider', command: 'datalab maintenance run --wait' });
  // What an attempt took that was lost counts too.
  const hour = WORN.replace('maintenance: {', 'maintenance: { tableMinutes: 60,');
  const again = await maintainLab(lab, { dryRun: true }, { yaml: hour, earlierMinutes: 61 });
  expect(words(again)).toEqual([
    'silver.worn optimize planned',
    ...['vacuum', 'clean-log'].map((task) => `silver.worn ${task} left`),
  ]);
  const done: string[] = [];
  for (let run = 0; run < 6; run += 1) {
    const { tended } = await maintain({}, yaml);
    const [task] = tended[0]?.tasks ?? [];
    if (!task) break;
    done.push(`${task.task} ${task.outcome}`);
  }
  expect(done).toEqual(['optimize done', 'vacuum done', 'clean-log done']);
  expect(await lab.rows('silver/worn', 'count(*) AS n')).toEqual([{ n: 12n }]);
});

/** Every file below a folder of the lake, with its size. */
function filesIn(name: string): Map<string, number> {
  const root = path.join(lab.folder, 'lake', name);
  return new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return [path.relative(root, file), statSync(file).size];
      }),
  );
}
const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);
const isData = (name: string): boolean => name.endsWith('.parquet') && !name.startsWith('_delta_log');

it('takes whole partitions by the log alone, rewrites files that hold other rows too, and measures what is freed', async () => {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  const { clock, engine, newId } = lab.deps;
  const fill = async (name: string, create: object, days: readonly string[]): Promise<void> => {
    const table = new DeltaTable(lab.store(`silver/${name}`), { clock, engine, newId });
    for (const day of days)
      await table.append({ sql: `SELECT i AS id, ${day} AS day FROM range(2000) r(i)` }, { create });
  };
  // Twelve days, a partition each, of which nine are past their time; and the same rows in two files without partitions.
  const old = "DATE '2000-01-01'";
  await fill(
    'parted',
    { partitionBy: ['day'] },
    Array.from({ length: 12 }, (_, day) => `${old} + ${day < 9 ? day : 20_000 + day}`),
  );
  await fill('mixed', {}, [`${old} + (i % 4 = 3)::INT * 20000`, `${old} + 20000`]);
  const yaml =
    'maintenance: { retention: { tables: [' +
    ['parted', 'mixed'].map((name) => `{ table: silver.${name}, column: day, days: 30 }`).join(', ') +
    '] } }';
  const before = { parted: filesIn('silver/parted'), mixed: filesIn('silver/mixed') };
  const done = await maintain({}, yaml);
  const retention = (name: string) =>
    done.tended
      .find(({ table }) => table === `silver.${name}`)
      ?.tasks.find((one) => one.task === 'retention');

  const parted = retention('parted');
  const { files } = await lab.table('silver/parted').snapshot({ version: 11 });
  const gone = files
    .filter(({ partitionValues }) => (partitionValues['day'] ?? '') < '2001')
    .map(({ path: name }) => [name, before.parted.get(name) ?? 0] as const);
  expect(gone).toHaveLength(9);
  expect(parted).toMatchObject({
    ...{ outcome: 'done', files: 9, rows: 18_000, bytes: sum(gone.map(([, size]) => size)) },
  });
  // Nothing was written but the log: each data file is there as it was, none is new.
  const dataOf = (files: Map<string, number>) => [...files].filter(([name]) => isData(name)).sort();
  expect(dataOf(filesIn('silver/parted'))).toEqual(dataOf(before.parted));
  const actions = await lab.table('silver/parted').actions((await lab.version('silver/parted')) ?? -1);
  expect(actions.filter((action) => 'add' in action)).toEqual([]);
  expect(await lab.rows('silver/parted', 'count(*) AS n')).toEqual([{ n: 6000n }]);

  // A file with rows of both kinds is written again, without those rows; the one beside it is not touched.
  const mixed = retention('mixed');
  expect(mixed).toMatchObject({ outcome: 'done', files: 1 });
  expect(mixed?.rows).toBe(1500);
  const added = dataOf(filesIn('silver/mixed')).filter(([name]) => !before.mixed.has(name));
  expect(added).toHaveLength(1);
  expect(await lab.rows('silver/mixed', 'count(*) AS n')).toEqual([{ n: 2500n }]);

  // The space comes back with VACUUM, and what the report says is what the disk says.
  lab.nowMs = Date.now() + 8 * 24 * 3600_000;
  const full = sum(filesIn('silver/parted').values());
  const vacuumed = await maintain({}, yaml);
  const table = vacuumed.tended.find((one) => one.table === 'silver.parted');
  expect(table?.tasks.map(({ task, outcome, bytes }) => [task, outcome, bytes])).toEqual([
    ['vacuum', 'done', sum(gone.map(([, size]) => size))],
  ]);
  const freed = full - sum(filesIn('silver/parted').values());
  expect(freed).toBe(sum(gone.map(([, size]) => size)));
  expect((table?.before.folderBytes ?? 0) - (table?.after.folderBytes ?? 0)).toBe(freed);
  expect(vacuumed.report.totals.freedBytes).toBeGreaterThanOrEqual(freed);
  expect(await lab.rows('silver/parted', 'count(*) AS n')).toEqual([{ n: 6000n }]);
});

it('says once of a time of its schedule that it was done, and nothing of a dry run or one by hand', async () => {
  lab = new Lab();
  lab.source('1.csv', '1,ann,1');
  await lab.run();
  await maintain();
  const scheduled = { scheduleId: 'lake-maintenance-weekly', at: new Date(lab.nowMs + 60_000).toISOString() };
  const expected = { ...scheduled, at: scheduled.at.replace(/\d\d\.\d+Z$/, '00.000Z') };
  await maintainLab(lab, { dryRun: true }, { scheduled: expected });
  await maintainLab(lab, {}, { scheduled: { ...expected, at: expected.at.replace('00.000Z', '07.000Z') } });
  expect(await lab.version('meta/expected_runs')).toBeUndefined();
  const { run, ending, again } = await maintainLab(lab, {}, { scheduled: expected });
  await again('closeMaintenance', run, ending);
  const columns =
    'schedule_id, epoch_ms(logical_time) AS at, outcome, rows, workflow_id, finished_at > started_at AS took';
  expect(await lab.rows('meta/expected_runs', columns, '')).toEqual([
    {
      ...{ schedule_id: 'lake-maintenance-weekly', at: BigInt(Date.parse(expected.at)), outcome: 'ok' },
      ...{ rows: null, workflow_id: 'test', took: true },
    },
  ]);
});
