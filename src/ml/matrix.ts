/** The feature file: rows in order of time as one Arrow stream, and the same as typed arrays that training reads. */
import { createRequire } from 'node:module';
import type * as Arrow from 'apache-arrow';
import { baselineColumn, META } from './features.js';

// The package in one file: its hundreds of small ones took half of the start of a process that trains.
const { makeData, makeVector, Table, tableFromIPC, tableToIPC, Utf8 } = createRequire(import.meta.url)(
  'apache-arrow/Arrow.esnext.min',
) as typeof Arrow;

/** Rows of features, row by row as XGBoost wants them, with everything that belongs to a row beside it. */
export interface FeatureRows {
  readonly names: readonly string[];
  readonly rows: number;
  /** `rows * names.length`, NaN where a value is missing. */
  readonly x: Float32Array;
  readonly y: Float64Array;
  /** Milliseconds since 1970, ascending. */
  readonly time: Float64Array;
  /** When the target is known. */
  readonly targetTime: Float64Array;
  readonly keys: readonly string[];
  /** What naive rules say, by baseline; NaN where they have nothing to say. */
  readonly baselines: Readonly<Record<string, Float64Array>>;
}

/** The rows as Arrow: the same rows give the same bytes. */
export function encodeRows(data: FeatureRows): Uint8Array {
  const { names, rows, x, y, time, targetTime, keys, baselines } = data;
  const column = (index: number): Float32Array => {
    const values = new Float32Array(rows);
    for (let row = 0, at = index; row < rows; row += 1, at += names.length) values[row] = x[at] ?? NaN;
    return values;
  };
  const columns: Record<string, Arrow.Vector> = {
    [META.key]: texts(keys),
    [META.time]: makeVector(time),
    [META.targetTime]: makeVector(targetTime),
    [META.target]: makeVector(y),
  };
  for (const [name, values] of Object.entries(baselines)) columns[baselineColumn(name)] = makeVector(values);
  names.forEach((name, index) => (columns[name] = makeVector(column(index))));
  return tableToIPC(new Table(columns), 'stream');
}

/** As `vectorFromArray` makes it, which held the process for nine seconds of a million texts. */
function texts(values: readonly string[]): Arrow.Vector {
  const valueOffsets = new Int32Array(values.length + 1);
  values.forEach((value, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + Buffer.byteLength(value);
  });
  const data = Buffer.allocUnsafe(valueOffsets[values.length] ?? 0);
  values.forEach((value, row) => data.write(value, valueOffsets[row] ?? 0));
  return makeVector(makeData({ type: new Utf8(), length: values.length, nullCount: 0, valueOffsets, data }));
}

/** Reads what {@link encodeRows} wrote. */
export function decodeRows(bytes: Uint8Array): FeatureRows {
  const table = tableFromIPC(bytes);
  const fields = table.schema.fields.map(({ name }) => name);
  const doubles = (name: string): Float64Array =>
    Float64Array.from(table.getChild(name)?.toArray() as Float64Array);
  const own = Object.values(META) as string[];
  const prefix = baselineColumn('');
  const names = fields.filter((name) => !own.includes(name) && !name.startsWith(prefix));
  const rows = table.numRows;
  const x = new Float32Array(rows * names.length);
  names.forEach((name, index) => {
    const values = table.getChild(name)?.toArray() as Float32Array;
    for (let row = 0; row < rows; row += 1) x[row * names.length + index] = values[row] ?? NaN;
  });
  const baselines = fields
    .filter((name) => name.startsWith(prefix))
    .map((name) => [name.slice(prefix.length), doubles(name)] as const);
  let keys: readonly string[] | undefined;
  return {
    ...{ names, rows, x, y: doubles(META.target) },
    ...{ time: doubles(META.time), targetTime: doubles(META.targetTime) },
    // Only what tells rows apart by key needs the texts, and they take longer to read than all numbers.
    get keys() {
      keys ??= [...(table.getChild(META.key) ?? [])].map(String);
      return keys;
    },
    baselines: Object.fromEntries(baselines),
  };
}

/** Some rows of a matrix, in the order of their positions. */
export function takeRows(
  data: FeatureRows,
  positions: readonly number[],
): { x: Float32Array; y: Float64Array } {
  const width = data.names.length;
  const x = new Float32Array(positions.length * width);
  const y = new Float64Array(positions.length);
  // Neighbours are copied together: most of the rows that are asked for are.
  for (let from = 0, to = 1; from < positions.length; from = to, to += 1) {
    const row = positions[from] ?? 0;
    while (to < positions.length && positions[to] === row + to - from) to += 1;
    x.set(data.x.subarray(row * width, (row + to - from) * width), from * width);
    y.set(data.y.subarray(row, row + to - from), from);
  }
  return { x, y };
}
