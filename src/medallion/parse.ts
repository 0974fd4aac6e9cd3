/** SQL that reads a framed file: its typed rows, and the rows that the engine or the types refuse. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import { identifier, literal } from '../contracts/sql-text.js';
import { namesOf, placeOf, undeclared } from './columns.js';
import { UNIT_SEPARATOR, type FramePart } from './frame.js';
import { RECORD_BYTES_MAX } from './records.js';
import { NATIVE_DATE_FORMAT, nativeColumn, typedColumn, type NativeColumn, type TextFacts } from './typed.js';

/** A framed file as the engine sees it: `_i` (source number), `_l` (line), and the dataset's columns as text. */
export interface FrameScan {
  readonly path: string;
  readonly delimiter: string;
  /**
   * Rows of `_i, _l, <columns as VARCHAR>, _extra`; `store` keeps what the reader refuses in reject_errors. Columns of
   * `natives` (by name) are parsed by the reader, where `parses` says that it can.
   */
  readonly rows: (store: boolean, natives?: Natives) => string;
  readonly parses: boolean;
  /** SQL for the text of the row as it was, where the rows are read. */
  readonly raw: string;
  /** SQL: why a row is refused whatever its types, or NULL. */
  readonly structure: string;
}

type Natives = ReadonlyMap<string, NativeColumn>;

/** How the rows of a part are read. */
export function frameScan(dataset: DatasetDefinition, part: FramePart): FrameScan {
  return dataset.source.format === 'csv' ? csvScan(dataset, part) : jsonScan(dataset, part);
}

/**
 * All rows with their values, where every one of them surely meets its types; else the statement fails. One look at each
 * text is enough then, where {@link typedRows} takes two, and nothing is left for {@link untypedRows}.
 */
export function sureRows(dataset: DatasetDefinition, scan: FrameScan, facts: TextFacts): string {
  const natives: Natives = new Map(
    dataset.columns.flatMap((column): Array<[string, NativeColumn]> => {
      const native = scan.parses ? nativeColumn(column, facts) : undefined;
      return native ? [[column.name, native]] : [];
    }),
  );
  const typed = dataset.columns.map((column) => {
    const name = identifier(column.name);
    const native = natives.get(column.name);
    if (native) return { name, value: `t.${name}`, sure: native.sure(`t.${name}`) };
    const { value, sure } = typedColumn(column, `t.${name}`, facts);
    return { name, value, sure };
  });
  const sure = [`${scan.structure} IS NULL`, ...typed.map((column) => column.sure)]
    .filter((condition) => condition !== 'true')
    .join(' AND ');
  return (
    `SELECT _i, CASE WHEN ${sure} THEN _l ELSE error('a row needs a closer look') END AS _l, _extra, ` +
    `${typed.map(({ name, value }) => `${value} AS ${name}`).join(', ')} FROM ${scan.rows(true, natives)} t`
  );
}

/** How many values the reader itself could not parse in the newest scan that stored it. */
export function unparsedCount(scan: FrameScan): string {
  return (
    `SELECT count(*) AS n FROM reject_errors WHERE error_type = 'CAST' AND ` +
    `scan_id = (SELECT max(scan_id) FROM reject_scans WHERE file_path = ${literal(scan.path)})`
  );
}

/** Rows that meet every type, under the declared names, with `_i` and `_l`. */
export function typedRows(dataset: DatasetDefinition, scan: FrameScan): string {
  const columns = dataset.columns.map((column) => {
    const name = identifier(column.name);
    return `${typedColumn(column, `t.${name}`).value} AS ${name}`;
  });
  return `SELECT _i, _l, _extra, ${columns.join(', ')} FROM ${scan.rows(true)} t WHERE ${allOk(dataset, scan)}`;
}

/** Rows for the table `refused` that were read but do not meet their types. Reads the file once more. */
export function untypedRows(dataset: DatasetDefinition, scan: FrameScan): string {
  const wrong = dataset.columns.map((column) => {
    const text = `t.${identifier(column.name)}`;
    const said = `${literal(`${column.name} is no ${column.type}: `)} || substr(${text}, 1, 80)`;
    return `CASE WHEN NOT ${typedColumn(column, text).ok} THEN ${said} END`;
  });
  return (
    `SELECT _i, _l, CASE WHEN ${scan.structure} IS NULL THEN 'bad_value' ELSE 'bad_json' END, ` +
    `coalesce(${scan.structure}, concat_ws('; ', ${wrong.join(', ')})), ${scan.raw} ` +
    `FROM ${scan.rows(false)} t WHERE NOT ${allOk(dataset, scan)}`
  );
}

function allOk(dataset: DatasetDefinition, scan: FrameScan): string {
  const conditions = dataset.columns
    .map((column) => typedColumn(column, `t.${identifier(column.name)}`).ok)
    .filter((condition) => condition !== 'true');
  return `(${[`${scan.structure} IS NULL`, ...conditions].join(' AND ')})`;
}

/** What the reader itself refused in the newest scan that stored it: one row per line, whatever the number of errors. */
export function refusedRows(scan: FrameScan): string {
  const d = scan.delimiter.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const frame = literal(`^\\s*(\\d+)${d}(\\d+)${d}(.*)$`);
  const columns = (text: string, pattern: string): string =>
    `CAST(regexp_extract(${text}, ${literal(`${pattern}: (\\d+)`)}, 1) AS INTEGER) - 2`;
  const expected = columns('m', 'Expected Number of Columns');
  const found = columns('m', 'Found');
  return (
    `SELECT f.i::INTEGER, f.l::BIGINT, CASE kind WHEN 'MISSING COLUMNS' THEN 'missing_columns' ` +
    `WHEN 'TOO MANY COLUMNS' THEN 'extra_columns' WHEN 'UNQUOTED VALUE' THEN 'bad_quote' ` +
    `WHEN 'INVALID ENCODING' THEN 'bad_encoding' WHEN 'INVALID UNICODE' THEN 'bad_encoding' ` +
    `WHEN 'LINE SIZE OVER MAXIMUM' THEN 'line_too_long' ELSE 'malformed' END, ` +
    `CASE WHEN kind IN ('MISSING COLUMNS', 'TOO MANY COLUMNS') ` +
    `THEN format('the row has {} columns where the header has {}', ${found}, ${expected}) ELSE m END, f.raw ` +
    `FROM (SELECT arg_min(error_type::VARCHAR, column_idx) AS kind, arg_min(error_message, column_idx) AS m, ` +
    `regexp_extract(any_value(csv_line), ${frame}, ['i', 'l', 'raw'], 's') AS f FROM reject_errors ` +
    `WHERE scan_id = (SELECT max(scan_id) FROM reject_scans WHERE file_path = ${literal(scan.path)}) GROUP BY line)`
  );
}

function csvScan(dataset: DatasetDefinition, part: FramePart): FrameScan {
  const { delimiter, quote } = dataset.source.csv;
  const fields = part.header.map((_, index) => `c${index}`);
  const columns = (natives?: Natives): string[] =>
    dataset.columns.map((column) => {
      const index = placeOf(column, part.header);
      const missing = `NULL::${natives?.get(column.name)?.type ?? 'VARCHAR'}`;
      return `${index < 0 ? missing : `c${index}`} AS ${identifier(column.name)}`;
    });
  const typesOf = (natives: Natives = new Map()): ReadonlyMap<string, string> =>
    new Map(
      dataset.columns.flatMap((column): Array<[string, string]> => {
        const native = natives.get(column.name);
        return native ? [[`c${placeOf(column, part.header)}`, native.type]] : [];
      }),
    );
  const extra = undeclared(dataset, part.header).map(
    (name) => `${literal(name)}, c${part.header.indexOf(name)}`,
  );
  const rest = `${extra.length > 0 ? `json_object(${extra.join(', ')})::VARCHAR` : 'NULL::VARCHAR'} AS _extra`;
  const special = literal(
    `[${[delimiter, quote].map((char) => `\\x{${char.charCodeAt(0).toString(16)}}`).join('')}\\n]`,
  );
  const written = fields.map(
    (field) =>
      `CASE WHEN regexp_matches(coalesce(${field}, ''), ${special}) THEN ${literal(quote)} || ` +
      `replace(${field}, ${literal(quote)}, ${literal(quote + quote)}) || ${literal(quote)} ELSE coalesce(${field}, '') END`,
  );
  return {
    path: part.path,
    delimiter,
    structure: 'NULL',
    raw: 't._raw',
    parses: true,
    rows: (store, natives) =>
      `(SELECT _i, _l, ${[...columns(natives), rest].join(', ')}${store ? '' : `, concat_ws(${literal(delimiter)}, ${written.join(', ')}) AS _raw`} ` +
      `FROM ${readCsv(part.path, fields, delimiter, quote, store, typesOf(natives))})`,
  };
}

function jsonScan(dataset: DatasetDefinition, part: FramePart): FrameScan {
  const names = dataset.columns.flatMap(namesOf);
  const paths = names.map((name) => literal(`$."${name.replaceAll('"', '\\"')}"`));
  const columns = dataset.columns.map((column) => {
    const values = namesOf(column).map((name) => `x[${names.indexOf(name) + 1}]`);
    return `${values.length > 1 ? `coalesce(${values.join(', ')})` : values[0]} AS ${identifier(column.name)}`;
  });
  // What is left of the object without the declared members, as a merge with nulls leaves it.
  const declared = literal(JSON.stringify(Object.fromEntries(names.map((name) => [name, null]))));
  columns.push(`nullif(json_merge_patch(j, ${declared})::VARCHAR, '{}') AS _extra`);
  return {
    path: part.path,
    delimiter: UNIT_SEPARATOR,
    structure: `CASE WHEN t._type = 'OBJECT' THEN NULL ELSE 'the line is not a JSON object' END`,
    raw: 't._raw',
    parses: false,
    rows: (store) =>
      `(SELECT _i, _l, coalesce(json_type(j), '') AS _type, _raw, ${columns.join(', ')} FROM ` +
      `(SELECT *, json_extract_string(j, [${paths.join(', ')}]) AS x FROM ` +
      `(SELECT _i, _l, c0 AS _raw, CASE WHEN json_valid(c0) THEN c0 END AS j FROM ` +
      `${readCsv(part.path, ['c0'], UNIT_SEPARATOR, '', store)})))`,
  };
}

/** Everything explicit: what the engine would guess, it would guess differently for every file. */
function readCsv(
  path: string,
  fields: readonly string[],
  delimiter: string,
  quote: string,
  store: boolean,
  types: ReadonlyMap<string, string> = new Map(),
): string {
  const columns = fields.map((field) => `, ${field}: '${types.get(field) ?? 'VARCHAR'}'`).join('');
  const line = RECORD_BYTES_MAX + 100;
  return (
    `read_csv(${literal(path)}, columns = {_i: 'INTEGER', _l: 'BIGINT'${columns}}, auto_detect = false, ` +
    `header = false, delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(quote)}, ` +
    `new_line = '\\n', strict_mode = true, max_line_size = ${line}, dateformat = ${literal(NATIVE_DATE_FORMAT)}, ` +
    `${store ? 'store_rejects = true, rejects_limit = 0' : 'ignore_errors = true'})`
  );
}
