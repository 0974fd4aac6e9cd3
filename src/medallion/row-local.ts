/**
 * Whether a SELECT makes each of its rows from one row of one table and from nothing else. Only then do new rows of the
 * table become new rows of the result, and an increment gives what computing everything again would give.
 */
import { identifier, literal } from '../contracts/sql-text.js';
import type { EngineSession } from '../delta/ports.js';

/** Parts of a parsed SELECT that look beyond the row: windows, aggregates, subqueries, samples, set operations. */
const BEYOND_THE_ROW = new Set(['WINDOW', 'SUBQUERY']);
const ONE_TABLE = 'BASE_TABLE';
const MULTIPLIES = new Set(['unnest', 'unlist', 'generate_subscripts']);

interface Parsed {
  readonly error: boolean;
  readonly statements?: ReadonlyArray<{ readonly node: SelectNode }>;
}

interface SelectNode {
  readonly type: string;
  readonly from_table?: {
    readonly type: string;
    readonly schema_name?: string;
    readonly table_name?: string;
  };
  readonly group_expressions?: readonly unknown[];
  readonly having?: unknown;
  readonly qualify?: unknown;
  readonly sample?: unknown;
  readonly modifiers?: ReadonlyArray<{ readonly type: string }>;
  readonly cte_map?: { readonly map?: readonly unknown[] };
}

/**
 * Undefined where `select` reads `schema.table` row by row; else the reason why it does not, for people. Functions that
 * the engine calls aggregates, or whose value changes from call to call, count as looking beyond the row.
 */
export async function beyondTheRow(
  session: EngineSession,
  select: string,
  table: { readonly schema: string; readonly name: string },
): Promise<string | undefined> {
  const [row] = await session.rows<{ tree: string }>(
    `SELECT json_serialize_sql(${literal(select)})::VARCHAR AS tree`,
  );
  const parsed = JSON.parse(row?.tree ?? '{"error":true}') as Parsed;
  const node = parsed.statements?.[0]?.node;
  if (parsed.error || node === undefined) return 'it cannot be taken apart';
  return shape(node, table) ?? (await callsOf(session, node));
}

function shape(node: SelectNode, table: { schema: string; name: string }): string | undefined {
  if (node.type !== 'SELECT_NODE') return 'it puts several SELECTs together';
  const from = node.from_table;
  if (from?.type !== ONE_TABLE || from.schema_name !== table.schema || from.table_name !== table.name)
    return `it reads something else than ${identifier(table.schema)}.${identifier(table.name)} alone`;
  if ((node.cte_map?.map?.length ?? 0) > 0) return 'it has a WITH clause';
  if ((node.group_expressions?.length ?? 0) > 0 || node.having) return 'it groups rows';
  if (node.qualify || node.sample) return 'it chooses among rows';
  const limiting = (node.modifiers ?? []).find(({ type }) => type !== 'ORDER_MODIFIER');
  return limiting && `it has a ${limiting.type.replace('_MODIFIER', '')} clause`;
}

/** The functions that the expressions call, by what the engine says of them. */
async function callsOf(session: EngineSession, node: SelectNode): Promise<string | undefined> {
  const calls = new Set<string>();
  const beyond = visit(node, calls);
  if (beyond !== undefined) return beyond;
  if (calls.size === 0) return undefined;
  const names = [...calls].map(literal).join(', ');
  const [found] = await session.rows<{ name: string; kind: string }>(
    `SELECT function_name AS name, CASE WHEN function_type = 'aggregate' THEN 'aggregates rows' ` +
      `ELSE 'gives another value every time' END AS kind FROM duckdb_functions() ` +
      `WHERE function_name IN (${names}) AND (function_type = 'aggregate' OR ` +
      `(function_type = 'scalar' AND stability <> 'CONSISTENT')) ORDER BY ALL LIMIT 1`,
  );
  return found && `it calls ${found.name}, which ${found.kind}`;
}

function visit(value: unknown, calls: Set<string>): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = visit(item, calls);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { class: kind, function_name: name } = value as { class?: unknown; function_name?: unknown };
  if (typeof kind === 'string' && BEYOND_THE_ROW.has(kind)) return `it has a ${kind.toLowerCase()}`;
  if (typeof name === 'string' && kind === 'FUNCTION') {
    if (MULTIPLIES.has(name)) return `it makes several rows of one (${name})`;
    calls.add(name);
  }
  return visit(Object.values(value), calls);
}
