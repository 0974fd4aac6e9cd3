/** The logs of queries and of the dashboard's changes into their tables: once each, whatever is repeated or left twice. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { beforeEach, expect, it } from 'vitest';
import { takeLogs } from '../../src/activities/take-logs.js';
import { LakeTables } from '../../src/activities/tables.js';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import { AUDIT_LOG_PREFIX, type AuditRecord } from '../../src/contracts/audit-log.js';
import { QUERY_LOG_PREFIX } from '../../src/contracts/query-log.js';
import { DeltaTable } from '../../src/delta/index.js';
import { leaveInInbox } from '../../src/lake/inbox.js';
import { keepQuery } from '../../src/lake/query-log.js';
import { queryLake } from '../../src/lake/query.js';
import { ServingLab } from '../model-server/lab.js';

let lab: ServingLab;
let take: () => ReturnType<typeof takeLogs>;
beforeEach(() => {
  lab = new ServingLab();
  const deps = {
    ...{ lake: lab.store, engine: lab.engine, newId: randomUUID, rowParquet: createRowParquet() },
    ...{ clock: { nowMs: () => Date.now() }, scratchDirectory: tmpdir(), log: () => undefined },
  };
  take = () => takeLogs(deps as unknown as Parameters<typeof takeLogs>[0], new LakeTables(lab.store, deps));
});

const change = (sequence: number, source = 'a'): AuditRecord => ({
  ...{ source, sequence, at: '2026-11-01T12:00:00.000Z', who: 'ana', role: 'operator' },
  ...{ action: 'start run', target: '', detail: '{}', outcome: 'done' },
});
const leave = (...records: object[]): Promise<void> =>
  leaveInInbox(lab.store, AUDIT_LOG_PREFIX, records, Date.now());
const places = async (): Promise<string[]> => {
  const sql = 'SELECT source || sequence AS place FROM meta.dashboard_audit ORDER BY ALL';
  const { rows } = await queryLake({ store: lab.store, engine: lab.engine }, sql, { limit: 100 });
  return rows.map(([place]) => String(place));
};

it('takes in what was left, and passes over what was left a second time by the same store', async () => {
  await leave(change(1), change(2));
  await leave(change(2), change(3));
  await leave(change(1, 'b'));
  expect(await take()).toEqual({ queries: 0, changes: 4 });
  await leave(change(3), change(4));
  await leave(change(2, 'b'), { torn: true });
  expect(await take()).toEqual({ queries: 0, changes: 2 });
  expect(await places()).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
});

it('goes by the places where the names of the files say another order, as after a clock that stepped back', async () => {
  await leaveInInbox(lab.store, AUDIT_LOG_PREFIX, [change(1), change(2)], 2000);
  await leaveInInbox(lab.store, AUDIT_LOG_PREFIX, [change(2), change(3)], 1000);
  expect(await take()).toEqual({ queries: 0, changes: 3 });
  expect(await places()).toEqual(['a1', 'a2', 'a3']);
});

it('goes on when the newest batch was cleaned out of the log', async () => {
  await leave(change(1));
  await take();
  const folder = lab.store.at('meta/dashboard_audit');
  const table = new DeltaTable(folder, { engine: lab.engine });
  await table.update({ set: { target: `'x'` } });
  await table.checkpoint();
  await folder.delete(['_delta_log/00000000000000000000.json']);
  await leave(change(2));
  expect(await take()).toEqual({ queries: 0, changes: 1 });
  expect(await places()).toEqual(['a1', 'a2']);
});

it('takes in queries that were asked, a row for each table, also those of an older release', async () => {
  const tables = [
    { name: 'silver.sales', version: 1 },
    { name: 'gold.sales', version: 2 },
  ];
  await keepQuery({ store: lab.store }, 'dashboard', { tables, rows: 7 }, Date.now() - 250);
  const old = {
    id: 'q',
    at: '2026-11-01T12:00:00.000Z',
    by: 'cli',
    tables: ['silver.sales'],
    ms: 1,
    rows: 1,
  };
  await lab.store.put(`${QUERY_LOG_PREFIX}2026-11-01/x.json`, Buffer.from(JSON.stringify(old)));
  const both = await Promise.all([take(), take()]);
  expect(both.reduce((sum, { queries }) => sum + queries, 0)).toBe(3);
  const sql = 'SELECT source, table_name, rows FROM meta.queries ORDER BY ALL';
  const { rows } = await queryLake({ store: lab.store, engine: lab.engine }, sql, { limit: 100 });
  expect(rows.map((row) => row.map(String))).toEqual([
    ['cli', 'silver.sales', '1'],
    ['dashboard', 'gold.sales', '7'],
    ['dashboard', 'silver.sales', '7'],
  ]);
});
