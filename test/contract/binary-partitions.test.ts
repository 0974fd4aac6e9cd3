/** Bytes that partition a table: what we write delta-rs reads as the same bytes, and we read what it meant by its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { DeltaTable } from '../../src/delta/index.js';
import { readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { deltaLab } from '../support/delta-lab.js';
import { deltaPlace } from '../support/delta-place.js';
import { struct } from '../support/table.js';

const lab = deltaLab();
const SCHEMA = struct({ k: 'long', b: 'binary', v: 'string' });
const VALUES = [
  'hello',
  '\0\u0001\u007f',
  'é',
  '😀',
  '\ufeffA',
  '/ %25=\\',
  "'",
  '__HIVE_DEFAULT_PARTITION__',
];
const bytes = (text: string): Uint8Array => Buffer.from(text);

const STEPS: ReadonlyArray<readonly [string, (table: DeltaTable) => Promise<unknown>]> = [
  ['append', (table) => table.append({ rows: VALUES.map((text, k) => ({ k, b: bytes(text) })) })],
  ['append NULL', (table) => table.append({ rows: [{ k: 100 }] })],
  [
    'append by SQL',
    (table) => table.append({ sql: `SELECT 200 + i AS k, unhex('c3a9') AS b FROM range(3) t(i)` }),
  ],
  ['update', (table) => table.update({ set: { b: `b || unhex('00')` }, where: 'k = 0' })],
  ['delete', (table) => table.delete({ where: `b = unhex('c3a9') AND k = 201` })],
  [
    'merge',
    (table) =>
      table.merge(
        {
          rows: [
            { k: 200, b: bytes('é'), v: 'merged' },
            { k: 300, b: bytes('new') },
          ],
          schema: SCHEMA,
        },
        {
          on: 'target.b = source.b AND target.k = source.k',
          whenMatched: [{ update: 'all' }],
          whenNotMatched: [{ insert: 'all' }],
        },
      ),
  ],
  ['checkpoint', (table) => table.checkpoint()],
  [
    'overwrite partitions',
    (table) => table.overwrite({ rows: [{ k: 400, b: bytes('😀') }] }, { replace: 'partitions' }),
  ],
  [
    'overwrite where',
    (table) => table.overwrite({ rows: [{ k: 500, b: bytes("'") }] }, { replace: { where: `b = ''''` } }),
  ],
  ['optimize', (table) => table.optimize()],
  ['restore', (table) => table.restore({ to: { version: 2 } })],
];

const APPEND = `
import sys, pyarrow
from deltalake import write_deltalake
from deltalake import DeltaTable
import json
request = json.load(sys.stdin)
rows = [{"k": row["k"], "b": bytes.fromhex(row["b"]), "v": None} for row in request["rows"]]
schema = pyarrow.schema([("k", pyarrow.int64()), ("b", pyarrow.binary()), ("v", pyarrow.string())])
table = DeltaTable(request["uri"], storage_options=request["options"])
write_deltalake(table, pyarrow.Table.from_pylist(rows, schema=schema), mode="append")
`;

describe.skipIf(!TEST_PYTHON)('delta-rs (skipped without DATALAB_TEST_PYTHON)', () => {
  describe.each(['local files', 'S3'] as const)('on %s', (kind) => {
    test('reads the same bytes after every operation; we read what it appends', async () => {
      const { store, storage } = await deltaPlace(lab, kind, 'binary-partitions');
      const table = lab.table(store);
      const uri = store.uri.replace(/^file:\/\//, '');
      await table.create(SCHEMA, { partitionBy: ['b'] });
      const ours = async (): Promise<string[]> => {
        const rows = await lab.rows(table, 'k');
        return rows.map(({ k, b, v }) =>
          JSON.stringify([Number(k), b === null ? null : Buffer.from(b as Uint8Array).toString('hex'), v]),
        );
      };
      const theirs = async (): Promise<string[]> => {
        const { rows } = await readWithDeltaRs(uri, 'SELECT * FROM t ORDER BY k', { storage });
        return rows.map(({ k, b, v }) => JSON.stringify([k, b, v]));
      };
      for (const [name, step] of STEPS) {
        await step(table);
        expect(await theirs(), name).toEqual(await ours());
      }
      const before = await ours();
      const running = promisify(execFile)(TEST_PYTHON ?? 'python3', ['-c', APPEND]);
      const rows = [
        { k: 900, b: Buffer.from('é').toString('hex') },
        { k: 901, b: '00ff' },
      ];
      running.child.stdin?.end(JSON.stringify({ uri, rows, options: storage }));
      await running;
      expect(await ours()).toEqual([...before, '[900,"c3a9",null]', '[901,"00ff",null]']);
      // It does not read its own escapes back; packed with ours they are spelled so that it does.
      expect((await theirs()).at(-2)).not.toBe('[900,"c3a9",null]');
      await table.optimize();
      expect((await theirs()).at(-2)).toBe('[900,"c3a9",null]');
    });
  });
});
