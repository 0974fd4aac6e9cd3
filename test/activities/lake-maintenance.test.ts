/** Maintenance of a lake that real runs of the real activities made. */
import { afterEach, expect, it } from 'vitest';
import type { LakeMaintenanceInput } from '../../src/contracts/lake-maintenance.js';
import { DeltaTable } from '../../src/delta/index.js';
import { Lab } from './lab.js';
import { maintainLab, type Maintained } from './maintain-lab.js';

let lab: Lab;
afterEach(() => lab.close());

const running = new Set<string>();
const maintain = (input?: LakeMaintenanceInput, yaml?: string): Promise<Maintained> =>
  maintainLab(lab, input, { running, ...(yaml !== undefined && { yaml }) });

/** `table task outcome` of everything that was touched. */
const words = ({ tended }: Pick<Maintained, 'tended'>): string[] =>
  tended.flatMap(({ table, tasks }) => tasks.map(({ task, outcome }) => `${table} ${task} ${outcome}`));

/** A lake of ten runs with a row each, the last of which is refused. */
async function tenRuns(): Promise<void> {
  lab = new Lab({ lake: 'folder' });
  // Files have the machine's time, rows the lab's.
  lab.nowMs = Date.now();
  for (let number = 1; number <= 10; number += 1) {
    lab.source(`${number}.csv`, `${number},name${number},${number === 10 ? -1 : number}`);
    await lab.run();
  }
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

it('plans every task with the files and bytes that it then touches', async () => {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  const { clock, engine, newId } = lab.deps;
  const fill = async (name: string): Promise<DeltaTable> => {
    const table = new DeltaTable(lab.store(`silver/${name}`), { clock, engine, newId });
    for (let id = 0; id < 24; id += 1)
      await table.append({ sql: `SELECT ${id} AS id, DATE '2000-01-01' + ${id < 6 ? 0 : 20_000} AS day` });
    return table;
  };
  const worn = await fill('worn');
  await worn.delete({ where: 'id >= 18' });
  await worn.checkpoint();
  await fill('unread');
  lab.passDays(40);
  const yaml =
    'maintenance: { retention: { tables: [{ table: silver.worn, column: day, days: 30 }] }, keepFilesDays: 8 }';
  const figures = ({ tended }: Maintained) =>
    Object.fromEntries(
      tended.flatMap(({ table, tasks }) =>
        tasks.map(({ task, files, bytes }) => [`${table} ${task}`, [files, bytes] as const]),
      ),
    );
  const planned = await maintain({ dryRun: true }, yaml);
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
  const done = figures(await maintain({}, yaml));
  for (const task of ['silver.worn retention', 'silver.worn vacuum', 'silver.worn clean-log'])
    expect(done[task], task).toEqual(plan[task]);
  expect(done['silver.unread optimize']).toEqual(plan['silver.unread optimize']);
});
