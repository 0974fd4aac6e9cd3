/** The audit of published tables: what it finds in a lake that was tampered with, and what it says of one that was not. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { AuditResult, TableAudit } from '../../src/contracts/audit.js';
import type { LakeMaintenanceInput } from '../../src/contracts/lake-maintenance.js';
import { keepQuery } from '../../src/lake/query-log.js';
import { Lab } from './lab.js';
import { maintainLab, type Maintained } from './maintain-lab.js';

let lab: Lab;
afterEach(() => lab.close());

const maintain = (input?: LakeMaintenanceInput, yaml?: string): Promise<Maintained> =>
  maintainLab(lab, input, yaml === undefined ? {} : { yaml });
const audit = async (): Promise<readonly TableAudit[]> => (await maintain({ only: 'audit' })).audits;

const SLICED = `
  - { table: totals, sql: totals.sql, slices: { by: { name: name } } }
  - { table: sizes, sql: sizes.sql }
checks:
  - { kind: row_count, severity: block, min: 1 }
  - { kind: unique, columns: [id], max: 0 }
  - { kind: range, column: amount, from: 0, to: 1000, max: 0 }
`;

/** A lake of three runs with two rows each, one of which is refused; `_source_line` 2 and 3. */
async function threeRuns(): Promise<void> {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  const text = lab.datasetText();
  lab.edit('dataset.yaml', text.slice(0, text.indexOf('\n  - { table: totals')) + SLICED);
  for (let number = 1; number <= 3; number += 1) {
    lab.source(`${number}.csv`, `${number},name${number},${number}`, `${100 + number},bad,-1`);
    await lab.run();
  }
}

function resultOf(audits: readonly TableAudit[], table: string, name: string): AuditResult {
  const result = audits.find((one) => one.table === table)?.results.find((one) => one.name === name);
  if (!result) throw new Error(`no ${name} of ${table}`);
  return result;
}
const failed = (audits: readonly TableAudit[]): string[] =>
  audits.flatMap(({ table, results }) =>
    results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => `${table} ${name}`),
  );

it('finds nothing in a lake that only runs have written, and says what it looked at', async () => {
  await threeRuns();
  const audits = await audit();
  // The declared check of the range fails on Bronze by right: it keeps what Silver refuses.
  expect(failed(audits)).toEqual(['bronze.sales range_amount']);
  expect(audits.map(({ table }) => table).sort()).toEqual([
    ...['bronze.sales', 'gold.sizes', 'gold.totals', 'quarantine.sales', 'silver.sales'],
  ]);
  const kinds = (table: string): string[] =>
    audits.find((one) => one.table === table)?.results.map(({ kind }) => kind) ?? [];
  expect(kinds('bronze.sales')).toEqual([
    ...['row_count', 'unique', 'range', 'table_schema', 'rows', 'statistics', 'key', 'ledger'],
  ]);
  expect(kinds('silver.sales')).toEqual([
    ...['table_schema', 'rows', 'statistics', 'key', 'rule', 'rule', 'reference', 'ledger'],
  ]);
  expect(resultOf(audits, 'bronze.sales', 'ledger').detail).toContain('add up to 6 rows, and 6 are there');
  // To the row, after increments too: each says by how much its table grew.
  for (const table of ['silver.sales', 'gold.totals'])
    expect(resultOf(audits, table, 'ledger')).toMatchObject({
      outcome: 'passed',
      detail: expect.stringContaining('add up to 3 rows, and 3 are there') as string,
    });
  expect(resultOf(audits, 'silver.sales', 'rows_in_bronze')).toMatchObject({ rows: 3, badRows: 0 });
  expect(resultOf(audits, 'gold.totals', 'dates_in_silver')).toMatchObject({ outcome: 'passed', rows: 3 });
  expect(resultOf(audits, 'gold.sizes', 'dates_in_silver').outcome).toBe('skipped');
  const [example] = resultOf(audits, 'bronze.sales', 'range_amount').examples;
  expect(example).toMatchObject({ line: 3 });
  expect(String(example?.['row'])).toContain('"name":"bad"');
});

it('finds rows that came in behind the ledger, with the key of another, and without an origin', async () => {
  await threeRuns();
  await audit();
  // Somebody writes into the tables as no run would.
  await lab.table('silver/sales').append({ rows: [stray()] });
  await lab.table('gold/totals').append({ rows: [{ name: 'NOBODY', total: 1 }] });
  const audits = await audit();
  expect(failed(audits)).toEqual(
    expect.arrayContaining([
      ...['silver.sales key', 'silver.sales rule_amount_negative', 'silver.sales rows_in_bronze'],
      'gold.totals dates_in_silver',
    ]),
  );
  expect(resultOf(audits, 'silver.sales', 'key')).toMatchObject({
    ...{ severity: 'block', badRows: 1, trend: 'new' },
    examples: [{ id: '1', times: '2' }],
  });
  expect(resultOf(audits, 'gold.totals', 'dates_in_silver').examples).toEqual([{ name: 'NOBODY' }]);
  // A commit of somebody else does not say how many rows it brought.
  expect(resultOf(audits, 'silver.sales', 'ledger').outcome).toBe('skipped');
  // A rebuild puts it right, and the next audit says so.
  await lab.run({ rebuild: true });
  lab.nowMs += 1000;
  const after = await audit();
  expect(resultOf(after, 'silver.sales', 'key')).toMatchObject({ outcome: 'passed', trend: 'resolved' });
  expect(resultOf(after, 'silver.sales', 'key').before).toMatchObject({ outcome: 'failed', badRows: 1 });
  expect(resultOf(after, 'gold.totals', 'dates_in_silver').trend).toBe('resolved');
});

it('finds increments whose ledger says something else than what is there', async () => {
  await threeRuns();
  await audit();
  const increment = (grown: number) => ({
    datalab: {
      ...{ kind: 'publish', manifest: 'm', fingerprint: 'f', rows: 1, grown },
      ledger: { read: 1, accepted: 1, duplicate: 0, quarantined: 0 },
    },
  });
  const put = (name: string, key: string, row: object, grown: number) =>
    lab.table(name).merge(
      { rows: [row as Record<string, string>] },
      {
        ...{ on: `target.${key} = source.${key}`, info: increment(grown) },
        whenNotMatched: [{ insert: 'all' }],
      },
    );
  await put('silver/sales', 'id', { ...stray(), id: 9 }, 1);
  await put('gold/totals', 'name', { name: 'X', total: 1 }, 3);
  const audits = await audit();
  expect(resultOf(audits, 'silver.sales', 'ledger')).toMatchObject({ outcome: 'passed', badRows: 0 });
  expect(resultOf(audits, 'gold.totals', 'ledger')).toMatchObject({
    ...{ outcome: 'failed', badRows: 2, trend: 'new' },
    detail: expect.stringContaining('add up to 6 rows, and 4 are there') as string,
  });
});

it('holds the newest run against those before, and a figure against earlier audits, or says what it lacks', async () => {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  lab.edit(
    'dataset.yaml',
    `${lab.datasetText().split('checks:')[0]}checks:
  - { kind: volume, maxShift: 10%, minHistory: 2 }
  - { kind: distribution, name: usual, column: amount, statistic: mean, maxShift: 10%, minHistory: 1 }
`,
  );
  for (let number = 1; number <= 3; number += 1) {
    if (number === 3) {
      const early = await audit();
      const detail = expect.stringContaining('1 of 2 runs of history') as string;
      expect(resultOf(early, 'bronze.sales', 'volume')).toMatchObject({ outcome: 'skipped', detail });
      expect(resultOf(early, 'bronze.sales', 'usual')).toMatchObject({
        ...{ outcome: 'skipped', detail: expect.stringContaining('0 of 1 runs of history') as string },
      });
    }
    lab.source(`${number}.csv`, `${number},name${number},5`, `${100 + number},bad,-1`);
    await lab.run();
  }
  const first = await audit();
  expect(resultOf(first, 'bronze.sales', 'volume')).toMatchObject({ outcome: 'passed', measured: 0 });
  expect(resultOf(first, 'bronze.sales', 'usual')).toMatchObject({ outcome: 'passed', measured: 0 });
  // A row of the newest run goes behind everybody's back.
  await lab.table('bronze/sales').delete({ where: 'id = 3' });
  const second = await audit();
  expect(resultOf(second, 'bronze.sales', 'volume')).toMatchObject({
    ...{ outcome: 'failed', measured: 0.5, rows: 1, trend: 'new' },
  });
  expect(resultOf(second, 'bronze.sales', 'usual').outcome).toBe('failed');
});

const stray = (): Record<string, string | number> => ({
  ...{
    id: 1,
    name: 'STRAY',
    amount: -5,
    _source_id: 'nowhere',
    _source_file: 'nowhere.csv',
    _source_line: 1,
  },
  ...{ _source_modified_at: '2024-01-01T00:00:00Z', _ingested_at: new Date(lab.nowMs).toISOString() },
  _run_id: 'nobody',
});

it('keeps every result in meta.audits once, is due again by its age, and records nothing in a dry run', async () => {
  await threeRuns();
  const dry = await maintain({ only: 'audit', dryRun: true });
  expect(dry.audits.length).toBe(5);
  expect(await lab.version('meta/audits')).toBeUndefined();
  const first = await maintain();
  expect(first.audits.length).toBe(5);
  await first.again('closeMaintenance', first.run, {
    ...{ startedAt: first.run.at, healthy: 0, left: 0, unreadable: 0, problems: [] },
  });
  const count = first.audits.reduce((sum, { results }) => sum + results.length + 1, 0);
  const rows = await lab.rows<{ n: bigint }>('meta/audits', 'count(*) AS n');
  expect(rows).toEqual([{ n: BigInt(count) }]);
  const [bad] = await lab.rows<{ examples: string }>(
    'meta/audits',
    'examples',
    "WHERE check_name = 'range_amount'",
  );
  expect(JSON.parse(bad?.examples ?? '[]')).toHaveLength(3);
  const again = await maintain();
  expect(again.audits).toEqual([]);
  expect(again.tended).toEqual([]);
  lab.passDays(7);
  expect((await maintain()).audits.length).toBe(5);
});

it('does not miss in Bronze what retention took, and counts it in the ledger', async () => {
  await threeRuns();
  await maintain();
  lab.passDays(100);
  lab.source('young.csv', '12,young,12');
  await lab.run();
  const { tended } = await maintain();
  expect(tended.find(({ table }) => table === 'bronze.sales')?.tasks[0]).toMatchObject({ rows: 6 });
  const audits = await audit();
  expect(failed(audits)).toEqual([]);
  expect(resultOf(audits, 'silver.sales', 'rows_in_bronze')).toMatchObject({ rows: 1, badRows: 0 });
});

it('says which tables are damaged, leaves them alone, and repairs only when asked', async () => {
  await threeRuns();
  const silver = path.join(lab.folder, 'lake/silver/sales');
  const [gone = ''] = readdirSync(silver).filter((name) => name.endsWith('.parquet'));
  const live = (await lab.table('silver/sales').snapshot()).files.map(({ path: name }) => name);
  rmSync(path.join(silver, live[0] ?? gone));
  const before = await lab.version('silver/sales');
  const found = await maintain();
  expect(found.damaged).toBe(1);
  expect(await lab.version('silver/sales')).toBe(before);
  expect(found.report.outcome).toBe('attention');
  const advice = found.report.recommendations.find(({ subject }) => subject === 'silver.sales');
  expect(advice).toMatchObject({ weight: 'act' });
  expect(found.page).toContain('silver.sales');
  // All of its files are gone: that may be a folder that is not mounted, and nothing is repaired.
  if (live.length === 1) {
    expect(advice?.command).toContain('backup restore');
    await maintain({ only: 'fsck', repair: true });
    expect(await lab.version('silver/sales')).toBe(before);
  }
  const bronze = (await lab.table('bronze/sales').snapshot()).files.map(({ path: name }) => name);
  writeFileSync(path.join(lab.folder, 'lake/bronze/sales', bronze[0] ?? ''), 'short');
  const dry = await maintain({ only: 'fsck', repair: true, dryRun: true });
  expect(dry.tended.map(({ table }) => table)).toContain('bronze.sales');
  expect((await lab.table('bronze/sales').snapshot()).files.length).toBe(bronze.length);
  const mended = await maintain({ only: 'fsck', repair: true });
  expect(mended.tended.find(({ table }) => table === 'bronze.sales')?.tasks).toMatchObject([
    { task: 'repair', outcome: 'done', files: 1 },
  ]);
  expect((await lab.table('bronze/sales').snapshot()).files.length).toBe(bronze.length - 1);
});

it('tells how the lake is used: sizes, growth, what comes in, and what is asked for', async () => {
  await threeRuns();
  const first = await maintain();
  expect(first.report.usage.layers.map(({ layer }) => layer)).toEqual([
    ...['bronze', 'silver', 'gold', 'quarantine'],
  ]);
  expect(first.report.usage.tables.every(({ bytesPerDay }) => bytesPerDay === null)).toBe(true);
  expect(first.report.previous).toBeNull();
  lab.passDays(2);
  lab.source('next.csv', '50,zoe,5', '51,yan,5');
  await lab.run();
  const asked = { tables: [{ name: 'silver.sales', version: 1 }], rows: 0 };
  await keepQuery({ store: lab.deps.lake }, 'cli', asked, lab.nowMs - 250);
  await keepQuery({ store: lab.deps.lake }, 'dashboard', asked, lab.nowMs - 250);
  const second = await maintain();
  const { usage, previous } = second.report;
  const bronze = usage.tables.find(({ table }) => table === 'bronze.sales');
  expect(bronze).toMatchObject({ rows: 8 });
  expect(bronze?.rowsPerDay).toBeCloseTo(1, 1);
  expect(previous?.totals.rows).toBe(first.report.totals.rows);
  expect(usage.queries).toMatchObject([{ table: 'silver.sales', queries: 2 }]);
  expect(usage.history.filter(({ layer }) => layer === 'bronze')).toHaveLength(2);
  const left: string[] = [];
  for await (const { key } of lab.deps.lake.list('_queries/')) left.push(key);
  expect(left).toEqual([]);
});

it('puts its message into the commit of the record, for whoever relays', async () => {
  await threeRuns();
  const { run, again, report } = await maintain();
  const told = await again('tellMaintenance', run);
  expect(told).toEqual({ sent: 1, pending: 0 });
  const events = lab.inbox.received.filter(({ event }) => event.type.startsWith('io.datalab.maintenance.'));
  expect(events).toMatchObject([
    {
      topic: 'datalab-notifications',
      event: { id: `maintenance:${run.runId}`, data: { totals: { tables: report.totals.tables } } },
    },
  ]);
  expect(await again('tellMaintenance', run)).toEqual({ sent: 0, pending: 0 });
});
