/** A few rows as Parquet without the engine, on parquetjs-lite. */
import { Writable } from 'node:stream';
import parquet from 'parquetjs-lite';
import { DatalabError } from '../contracts/errors.js';
import type { ColumnTextStats, EncodedRows, RowParquet, RowValue } from '../delta/ports.js';
import type { StructField, StructType } from '../delta/schema.js';

/** One column type: how the file stores it, how a value becomes what the writer takes, and its text for statistics. */
interface ColumnType {
  readonly stored: string;
  /** Undefined where the value does not fit. */
  readonly convert: (value: NonNullable<RowValue>) => Converted | undefined;
  readonly bounds: boolean;
}

interface Converted {
  readonly value: unknown;
  /** For statistics. */
  readonly text: string;
  /** What min and max compare. */
  readonly order: number | bigint | Buffer;
}

const DAY_MS = 86_400_000;
const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?$/;

const TYPES: Readonly<Record<string, ColumnType>> = {
  string: { stored: 'UTF8', convert: text, bounds: true },
  long: { stored: 'INT64', convert: (value) => integer(value, Number.MAX_SAFE_INTEGER), bounds: true },
  integer: { stored: 'INT32', convert: (value) => integer(value, 2 ** 31 - 1), bounds: true },
  short: { stored: 'INT_16', convert: (value) => integer(value, 2 ** 15 - 1), bounds: true },
  byte: { stored: 'INT_8', convert: (value) => integer(value, 2 ** 7 - 1), bounds: true },
  double: { stored: 'DOUBLE', convert: finite, bounds: true },
  boolean: { stored: 'BOOLEAN', convert: bool, bounds: false },
  date: { stored: 'DATE', convert: date, bounds: true },
  timestamp: { stored: 'TIMESTAMP_MICROS', convert: instant, bounds: true },
};

/** The row writer. Types: string, long, integer, short, byte, double, boolean, date, timestamp. */
export function createRowParquet(): RowParquet {
  return { write: writeRows };
}

async function writeRows(
  schema: StructType,
  rows: ReadonlyArray<Readonly<Record<string, RowValue>>>,
): Promise<EncodedRows> {
  const columns = schema.fields.map((field) => ({ field, type: typeOf(field), stats: new Stats() }));
  const definition = Object.fromEntries(
    columns.map(({ field, type }) => [
      field.name,
      // The package orders its own statistics as JavaScript orders text, which misleads readers: none are written.
      { type: type.stored, optional: true, compression: 'SNAPPY' as const, statistics: false },
    ]),
  );
  const sink = new MemorySink();
  const options = { useDataPageV2: false, pageIndex: false };
  const writer = await parquet.ParquetWriter.openStream(new parquet.ParquetSchema(definition), sink, options);
  for (const [index, row] of rows.entries()) {
    const out: Record<string, unknown> = {};
    for (const { field, type, stats } of columns) {
      const value = row[field.name];
      if (value === null || value === undefined) {
        stats.addNull();
        continue;
      }
      const converted = type.convert(value);
      if (!converted) throw misfit(field, value, index);
      stats.add(converted);
      out[field.name] = converted.value;
    }
    await writer.appendRow(out);
  }
  await writer.close();
  return {
    bytes: sink.bytes(),
    rows: rows.length,
    columns: Object.fromEntries(
      columns.map(({ field, type, stats }) => [field.name, stats.result(type.bounds)]),
    ),
  };
}

function typeOf(field: StructField): ColumnType {
  const type = typeof field.type === 'string' ? TYPES[field.type] : undefined;
  // The package joins the parts of nested names with dots.
  if (type && !field.name.includes('.')) return type;
  throw new DatalabError(
    'ROW_UNSUPPORTED',
    `column '${field.name}' of type ${JSON.stringify(field.type)} cannot be written row by row`,
  );
}

function misfit(field: StructField, value: NonNullable<RowValue>, index: number): DatalabError {
  const shown = String(value).slice(0, 100);
  return new DatalabError(
    'ROW_UNSUPPORTED',
    `row ${index}, column '${field.name}': ${shown} is no ${JSON.stringify(field.type)} that can be written exactly`,
  );
}

function text(value: NonNullable<RowValue>): Converted | undefined {
  // Half of a surrogate pair has no bytes of its own, and would become another character.
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) return undefined;
  return { value, text: value, order: Buffer.from(value, 'utf8') };
}

/** The package rounds what is past 2^53, so that is refused. */
function integer(value: NonNullable<RowValue>, max: number): Converted | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const number = Number(value);
  if (
    !Number.isSafeInteger(number) ||
    number > max ||
    number < -max - (max === Number.MAX_SAFE_INTEGER ? 0 : 1)
  ) {
    return undefined;
  }
  return { value: number, text: String(number), order: number };
}

function finite(value: NonNullable<RowValue>): Converted | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return { value, text: String(value), order: value };
}

function bool(value: NonNullable<RowValue>): Converted | undefined {
  return typeof value === 'boolean' ? { value, text: String(value), order: Number(value) } : undefined;
}

function date(value: NonNullable<RowValue>): Converted | undefined {
  const iso = value instanceof Date ? isoOf(value)?.slice(0, 10) : value;
  if (typeof iso !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(iso)) return undefined;
  const day = new Date(`${iso}T00:00:00Z`);
  // A day that does not exist (30 February) comes back as another.
  if (isoOf(day)?.slice(0, 10) !== iso) return undefined;
  return { value: day, text: iso, order: day.getTime() / DAY_MS };
}

/** A Date, or ISO text to the microsecond; text without a zone is UTC. */
function instant(value: NonNullable<RowValue>): Converted | undefined {
  const iso = value instanceof Date ? isoOf(value) : value;
  const match = typeof iso === 'string' ? INSTANT.exec(iso) : null;
  if (typeof iso !== 'string' || !match) return undefined;
  const [, fraction = '', zone] = match;
  const whole = `${iso.slice(0, 10)}T${iso.slice(11, 19)}${zone ?? 'Z'}`;
  const ms = Date.parse(whole);
  if (Number.isNaN(ms)) return undefined;
  const micros = BigInt(ms) * 1000n + BigInt(fraction.slice(1).padEnd(6, '0'));
  // The package takes no negative microseconds; before 1970 a Date carries whole milliseconds.
  if (micros < 0n && micros % 1000n !== 0n) return undefined;
  const utc = isoOf(new Date(ms));
  if (utc === undefined) return undefined;
  // A day or an hour that does not exist (30 February, 24:00) comes back as another.
  if (isoOf(new Date(`${whole.slice(0, 19)}Z`))?.slice(0, 19) !== whole.slice(0, 19)) return undefined;
  return {
    value: micros < 0n ? new Date(Number(micros / 1000n)) : micros,
    text: `${utc.slice(0, 19)}.${fraction.slice(1).padEnd(6, '0')}Z`,
    order: micros,
  };
}

function isoOf(value: Date): string | undefined {
  const iso = Number.isNaN(value.getTime()) ? '' : value.toISOString();
  return iso.length === 24 ? iso : undefined;
}

/** Bounds and nulls of one column. */
class Stats {
  #min: Converted | undefined;
  #max: Converted | undefined;
  #nulls = 0;

  add(value: Converted): void {
    if (!this.#min || isLess(value, this.#min)) this.#min = value;
    if (!this.#max || isLess(this.#max, value)) this.#max = value;
  }

  addNull(): void {
    this.#nulls += 1;
  }

  result(bounds: boolean): ColumnTextStats {
    const { text: min } = this.#min ?? {};
    const { text: max } = this.#max ?? {};
    if (!bounds || min === undefined || max === undefined) return { nullCount: this.#nulls };
    return { min, max, nullCount: this.#nulls };
  }
}

function isLess(a: Converted, b: Converted): boolean {
  if (Buffer.isBuffer(a.order) && Buffer.isBuffer(b.order)) return Buffer.compare(a.order, b.order) < 0;
  return a.order < b.order;
}

class MemorySink extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
