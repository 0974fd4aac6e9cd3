/** A ScanPlan as SQL: the files' columns under their logical names, in schema order, with the declared types. */
import type { ScanFile, ScanPlan } from '../../delta/ports.js';
import type { DataType, StructField } from '../../delta/schema.js';
import { identifier, literal, literalList } from '../../contracts/sql-text.js';
import { sqlType, type FieldName } from './sql-type.js';
import { hasVariant, VARIANT_BYTES, variantSql } from './variant.js';

const PHYSICAL_NAME = 'delta.columnMapping.physicalName';
/** Columns that tell which row of which file a row is; by names alone, for adapters know the ports by type only. */
const FILE = '__datalab_file';
const ROW = '__datalab_row';

/**
 * SQL usable after FROM. Partition values come from the plan alone, never from paths or file contents; a column that a
 * file lacks is NULL; rows named in `deletedRows` are left out. Without files it is an empty relation of the same type.
 */
export function relationSql(plan: ScanPlan): string {
  const wanted = plan.columns && new Set(plan.columns);
  const fields = plan.schema.fields.filter((field) => !wanted || wanted.has(field.name));
  if (wanted && fields.length !== wanted.size) {
    const known = new Set(fields.map((field) => field.name));
    throw new RangeError(`no such column: ${[...wanted].filter((name) => !known.has(name)).join(', ')}`);
  }
  if (fields.length === 0) throw new RangeError('a scan needs at least one column');
  if (plan.files.length === 0) return `(${emptySelect(fields, plan.rowId === true)})`;
  // Every file has its variants in a form of its own, and a union of the forms would mix them up.
  const apart = fields.some((field) => hasVariant(field.type));
  const groups = apart
    ? plan.files.map((file): Group => ({ partitionValues: file.partitionValues, files: [file] }))
    : groupFiles(plan.files);
  return `(${groups.map((group) => groupSelect(plan, fields, group)).join('\nUNION ALL\n')})`;
}

interface Group {
  readonly partitionValues: ScanFile['partitionValues'];
  readonly files: ScanFile[];
}

/** Files with equal partition values are read by one scan, so that ten thousand files stay one statement. */
function groupFiles(files: readonly ScanFile[]): Group[] {
  const groups = new Map<string, Group>();
  for (const file of files) {
    const key = JSON.stringify(Object.entries(file.partitionValues).sort(([a], [b]) => (a < b ? -1 : 1)));
    const group = groups.get(key);
    if (group) group.files.push(file);
    else groups.set(key, { partitionValues: file.partitionValues, files: [file] });
  }
  return [...groups.values()];
}

function emptySelect(fields: readonly StructField[], rowId: boolean): string {
  const columns = fields.map((field) => `NULL::${sqlType(field.type)} AS ${identifier(field.name)}`);
  if (rowId) columns.push(`NULL::VARCHAR AS ${FILE}`, `NULL::BIGINT AS ${ROW}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}

function groupSelect(plan: ScanPlan, fields: readonly StructField[], group: Group): string {
  const physical = physicalNames(plan);
  const partitions = new Set(plan.partitionColumns);
  const columns = fields.map((field) => {
    const value = partitions.has(field.name)
      ? partitionLiteral(group.partitionValues[physical(field)] ?? null, field.type)
      : `CAST(${fileValue(`f.${identifier(physical(field))}`, field.type, plan)} AS ${sqlType(field.type)})`;
    return `${value} AS ${identifier(field.name)}`;
  });
  if (plan.rowId) columns.push(`f.${FILE} AS ${FILE}`, `f.${ROW} AS ${ROW}`);
  // The empty first branch gives every declared column a type, also where no file has it.
  const stored = fields.filter((field) => !partitions.has(field.name));
  const declared = stored.map(
    (field) => `NULL::${sqlType(field.type, physical, VARIANT_BYTES)} AS ${identifier(physical(field))}`,
  );
  const typed = declared.length > 0 ? `SELECT ${declared.join(', ')} WHERE false UNION ALL BY NAME ` : '';
  return `SELECT ${columns.join(', ')} FROM (${typed}${fileScan(group.files, plan.rowId === true)}) f`;
}

function fileScan(files: readonly ScanFile[], rowId: boolean): string {
  const paths = literalList(files.map((file) => file.localPath));
  const options = 'hive_partitioning = false, union_by_name = true';
  const deleted = files.filter((file) => (file.deletedRows?.length ?? 0) > 0);
  if (deleted.length === 0 && !rowId) return `SELECT * FROM read_parquet(${paths}, ${options})`;
  const scan = `read_parquet(${paths}, ${options}, filename = '${FILE}', file_row_number = true) s`;
  const columns = rowId
    ? `* EXCLUDE (file_row_number), file_row_number AS ${ROW}`
    : `* EXCLUDE (${FILE}, file_row_number)`;
  if (deleted.length === 0) return `SELECT ${columns} FROM ${scan}`;
  const rows = deleted.map(
    (file) => `(${literal(file.localPath)}, [${file.deletedRows?.join(', ')}]::BIGINT[])`,
  );
  return (
    `SELECT ${columns} FROM ${scan} WHERE NOT EXISTS (SELECT 1 FROM ` +
    `(SELECT file, unnest(positions) AS position FROM (VALUES ${rows.join(', ')}) v(file, positions)) d ` +
    `WHERE d.file = s.${FILE} AND d.position = s.file_row_number)`
  );
}

/** Under column mapping files carry physical names; in mode `id` too, since every writer of that mode sets both. */
function physicalNames(plan: ScanPlan): FieldName {
  if (plan.columnMapping === 'none') return (field) => field.name;
  return (field) => {
    const name = field.metadata[PHYSICAL_NAME];
    return typeof name === 'string' ? name : field.name;
  };
}

/** The expression under logical names, members of nested columns included, and with variants as the engine's own. */
function fileValue(expression: string, type: DataType, plan: ScanPlan): string {
  return plan.columnMapping === 'none' && !hasVariant(type)
    ? expression
    : renamed(expression, type, physicalNames(plan), 0);
}

function renamed(expression: string, type: DataType, physical: FieldName, depth: number): string {
  if (type === 'variant') return variantSql(expression);
  if (typeof type === 'string') return expression;
  const item = `x${depth}`;
  switch (type.type) {
    case 'struct': {
      const members = type.fields.map((field) => {
        const member = `${expression}.${identifier(physical(field))}`;
        return `${identifier(field.name)} := ${renamed(member, field.type, physical, depth)}`;
      });
      return `CASE WHEN ${expression} IS NULL THEN NULL ELSE struct_pack(${members.join(', ')}) END`;
    }
    case 'array': {
      const element = renamed(item, type.elementType, physical, depth + 1);
      return element === item ? expression : `list_transform(${expression}, lambda ${item}: ${element})`;
    }
    case 'map': {
      const key = renamed(`${item}.key`, type.keyType, physical, depth + 1);
      const value = renamed(`${item}.value`, type.valueType, physical, depth + 1);
      if (key === `${item}.key` && value === `${item}.value`) return expression;
      const entry = `struct_pack(key := ${key}, value := ${value})`;
      return (
        `CASE WHEN ${expression} IS NULL THEN NULL ELSE ` +
        `map_from_entries(list_transform(map_entries(${expression}), lambda ${item}: ${entry})) END`
      );
    }
  }
}

/**
 * A partition value as the log has it. `''` is NULL for every type but string and binary, where it stays empty: writers
 * disagree there, and this way no value is lost that a writer kept apart.
 */
function partitionLiteral(text: string | null, type: DataType): string {
  const declared = sqlType(type);
  if (text === null) return `NULL::${declared}`;
  if (type === 'binary') return `unhex('${binaryHex(text)}')`;
  if (text === '' && type !== 'string') return `NULL::${declared}`;
  if (type === 'string' && text.includes('\0')) return `decode(unhex('${utf8Hex(text)}'))`;
  return `CAST(${literal(text)} AS ${declared})`;
}

/** The bytes are the text's in UTF-8; delta-rs writes `\u00FF`, six characters, for each. */
function binaryHex(text: string): string {
  return /^(?:\\u00[0-9A-Fa-f]{2})+$/.test(text) ? text.replaceAll('\\u00', '') : utf8Hex(text);
}

function utf8Hex(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}
