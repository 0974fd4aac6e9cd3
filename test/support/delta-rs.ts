/** delta-rs as the oracle: reads a table with another implementation's eyes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SCRIPT = `
import json, sys, decimal, datetime
from deltalake import DeltaTable, QueryBuilder
request = json.load(sys.stdin)
table = DeltaTable(request["uri"], storage_options=request["options"])
batches = QueryBuilder().register("t", table).execute(request["sql"])
import pyarrow
rows = pyarrow.table(batches.read_all() if hasattr(batches, "read_all") else batches).to_pylist()
# What a JavaScript number cannot hold comes as text.
rows = [{k: str(v) if type(v) is int and abs(v) > 2**53 - 1 else v for k, v in row.items()} for row in rows]
def plain(value):
    if isinstance(value, datetime.datetime): return value.isoformat()
    if isinstance(value, (datetime.date, decimal.Decimal)): return str(value)
    if isinstance(value, bytes): return value.hex()
    raise TypeError(type(value))
print(json.dumps({
  "version": table.version(),
  "rows": rows,
  "protocol": [table.protocol().min_reader_version, table.protocol().min_writer_version],
  "transactions": {app: table.transaction_version(app) for app in request["apps"]},
}, default=plain))
`;

export interface DeltaRsAnswer {
  readonly version: number;
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly protocol: readonly [number, number];
  readonly transactions: Readonly<Record<string, number | null>>;
}

/** The Python that has `deltalake`, or undefined (the tests then say why they are skipped). */
export const TEST_PYTHON = process.env['DATALAB_TEST_PYTHON'];

/** Runs a query over the table as `t`, after checking that delta-rs opens it. */
export async function readWithDeltaRs(
  uri: string,
  sql: string,
  options: {
    readonly storage?: Readonly<Record<string, string>>;
    readonly apps?: readonly string[];
  } = {},
): Promise<DeltaRsAnswer> {
  const request = JSON.stringify({ uri, sql, options: options.storage ?? {}, apps: options.apps ?? [] });
  const running = promisify(execFile)(TEST_PYTHON ?? 'python3', ['-c', SCRIPT], { maxBuffer: 1e8 });
  running.child.stdin?.end(request);
  const { stdout } = await running;
  return JSON.parse(stdout) as DeltaRsAnswer;
}

const APPEND = `
import json, sys
from deltalake import DeltaTable, write_deltalake
import pyarrow
request = json.load(sys.stdin)
table = DeltaTable(request["uri"], storage_options=request["options"])
schema = pyarrow.schema(table.schema().to_arrow())
write_deltalake(table, pyarrow.Table.from_pylist(request["rows"], schema=schema), mode="append")
`;

/** Appends rows with delta-rs; values as JSON has them. */
export async function appendWithDeltaRs(
  uri: string,
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>,
  storage: Readonly<Record<string, string>> = {},
): Promise<void> {
  const running = promisify(execFile)(TEST_PYTHON ?? 'python3', ['-c', APPEND]);
  running.child.stdin?.end(JSON.stringify({ uri, rows, options: storage }));
  await running;
}
