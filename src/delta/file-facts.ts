/** What the log knows of the values in one file: partition values exactly, other columns by their statistics. */
import type { AddFile } from './actions.js';
import type { Snapshot } from './api.js';
import { bytesOfText } from './binary-text.js';
import { comparable, comparableBytes } from './expression/comparable.js';
import type { ColumnFacts, FactsOf } from './expression/possible.js';
import { physicalName } from './physical-name.js';
import type { StructField } from './schema.js';

/** Statistics with every number as its own text, so that none loses a digit. */
export interface FileStats {
  readonly numRecords?: string;
  readonly minValues?: Readonly<Record<string, unknown>>;
  readonly maxValues?: Readonly<Record<string, unknown>>;
  readonly nullCount?: Readonly<Record<string, unknown>>;
}

const NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const parsed = new WeakMap<AddFile, FileStats>();

/** The file's statistics; nothing where they are missing or are no JSON. */
export function fileStats(file: AddFile): FileStats {
  const known = parsed.get(file);
  if (known) return known;
  const stats = parseStats(file.stats);
  parsed.set(file, stats);
  return stats;
}

function parseStats(text: string | undefined): FileStats {
  if (text === undefined) return {};
  try {
    const quoted = text.replace(NUMBERS, (match) => (match.startsWith('"') ? match : `"${match}"`));
    const value = JSON.parse(quoted) as FileStats | null;
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Rows in the data file, deleted ones included; undefined where the log does not say. */
export function physicalRows(file: AddFile): number | undefined {
  const { numRecords } = fileStats(file);
  return typeof numRecords === 'string' && /^\d+$/.test(numRecords) ? Number(numRecords) : undefined;
}

/** Rows that a reader sees; undefined where the log does not say. */
export function liveRows(file: AddFile): number | undefined {
  const rows = physicalRows(file);
  return rows === undefined ? undefined : rows - (file.deletionVector?.cardinality ?? 0);
}

/** Some writers round timestamps down to milliseconds, the maximum too. */
const MICROS_LOST = 999n;

/**
 * Facts of the columns of one file. Names ignore case, as the engine's do. Where the table has an alias, columns must
 * name it; where it has none, a qualified name is a member of a struct, of which nothing is known here.
 */
export function factsOf(snapshot: Snapshot, file: AddFile, alias?: string): FactsOf {
  const fields = new Map(snapshot.schema.fields.map((field) => [field.name.toLowerCase(), field]));
  return ({ table, column }) => {
    if (table?.toLowerCase() !== alias) return undefined;
    const field = fields.get(column.toLowerCase());
    if (!field) return undefined;
    return snapshot.partitionColumns.includes(field.name)
      ? partitionFacts(field, file.partitionValues[physicalName(snapshot, field)])
      : statsFacts(field, physicalName(snapshot, field), file);
  };
}

/** As readers take the text: `''` is NULL, except for strings and bytes. */
function partitionFacts(field: StructField, text: string | null | undefined): ColumnFacts {
  const { type } = field;
  if (text === null || text === undefined || (text === '' && type !== 'string' && type !== 'binary')) {
    return { type, mayBeNull: true, mayBeValue: false };
  }
  const value = type === 'binary' ? comparableBytes(bytesOfText(text)) : comparable(type, text);
  return { type, min: value, max: value, mayBeNull: false, mayBeValue: true };
}

function statsFacts({ type }: StructField, name: string, file: AddFile): ColumnFacts {
  const { minValues, maxValues, nullCount } = fileStats(file);
  const rows = physicalRows(file);
  const nulls = nullCount?.[name];
  const bound = (values: Readonly<Record<string, unknown>> | undefined) => {
    const text = values?.[name];
    return typeof text === 'string' ? comparable(type, text) : undefined;
  };
  const max = bound(maxValues);
  return {
    type,
    min: bound(minValues),
    max: max?.kind === 'micros' ? { ...max, value: max.value + MICROS_LOST } : max,
    mayBeNull: nulls !== '0',
    // Only the two extremes stay true when a deletion vector takes rows away.
    mayBeValue: rows === undefined || typeof nulls !== 'string' || Number(nulls) < rows,
  };
}
