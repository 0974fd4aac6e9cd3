/** Whether a SELECT goes row by row: what does, and each way in which one may not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EngineSession } from '../../src/delta/ports.js';
import { beyondTheRow } from '../../src/medallion/row-local.js';
import { Workbench } from './workbench.js';

const bench = new Workbench();
let session: EngineSession;
beforeAll(async () => {
  session = await bench.engine.open({ inputs: [] });
});
afterAll(async () => {
  await session.close();
  bench.close();
});

const reason = (sql: string) => beyondTheRow(session, sql, { schema: 'bronze', name: 't' });

it.each([
  'SELECT a, b FROM bronze.t',
  'SELECT upper(trim(a)) AS a, b::INTEGER + 1 AS b, CASE WHEN b > 1 THEN 2 END AS c FROM bronze.t WHERE b > 0 ORDER BY a',
  "SELECT COLUMNS('^_'), regexp_replace(a, 'x', 'y') AS a FROM bronze.t AS s",
  'SELECT * FROM bronze.t -- all of it',
])('goes row by row: %s', async (sql) => {
  expect(await reason(sql)).toBeUndefined();
});

it.each([
  ['SELECT lag(a) OVER (ORDER BY b) FROM bronze.t', 'it has a window'],
  ['SELECT sum(a) FROM bronze.t', 'it calls sum, which aggregates rows'],
  ['SELECT a, 1 + count(*) FROM bronze.t GROUP BY a', 'it groups rows'],
  ['SELECT DISTINCT a FROM bronze.t', 'it has a DISTINCT clause'],
  ['SELECT a FROM bronze.t LIMIT 3', 'it has a LIMIT clause'],
  ['SELECT a FROM bronze.t QUALIFY row_number() OVER () = 1', 'it chooses among rows'],
  ['SELECT a, (SELECT max(a) FROM bronze.t) FROM bronze.t', 'it has a subquery'],
  ['SELECT t.a FROM bronze.t JOIN bronze.u USING (a)', 'it reads something else'],
  ['SELECT a FROM bronze.u', 'it reads something else'],
  ['WITH x AS (SELECT 1) SELECT a FROM bronze.t', 'it has a WITH clause'],
  ['SELECT a FROM bronze.t UNION ALL SELECT a FROM bronze.t', 'it puts several SELECTs together'],
  ['SELECT a, now() AS at FROM bronze.t', 'it calls now, which gives another value every time'],
  ['SELECT a, random() AS r FROM bronze.t', 'it calls random, which gives another value every time'],
  ['SELECT unnest(a) FROM bronze.t', 'it makes several rows of one'],
  ['SELEC a', 'it cannot be taken apart'],
])('looks at more than the row: %s', async (sql, why) => {
  expect(await reason(sql)).toContain(why);
});
