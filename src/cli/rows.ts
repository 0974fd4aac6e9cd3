/** Rows of a query for people (cut to fit), for spreadsheets (CSV) and for programs (JSON). Pure. */
import { table } from './text.js';

interface Rows {
  readonly columns: ReadonlyArray<{ readonly name: string }>;
  readonly rows: ReadonlyArray<readonly unknown[]>;
}

const CELL_MAX = 60;

/** Columns under their names, long cells cut. */
export function rowsAsText({ columns, rows }: Rows): string {
  return table(
    columns.map(({ name }) => cut(name)),
    rows.map((row) => row.map((cell) => cut(cellText(cell).replace(/\s+/g, ' ')))),
  );
}

/** RFC 4180 with a header. NULL is an empty field, an empty text is `""`. Line ends are LF. */
export function rowsAsCsv({ columns, rows }: Rows): string {
  const lines = [columns.map(({ name }) => quoted(name)), ...rows.map((row) => row.map(csvCell))];
  return lines.map((line) => line.join(',')).join('\n');
}

/** Objects by column name. Integers that a JavaScript number cannot hold, and infinities, are texts. */
export function rowsAsObjects({ columns, rows }: Rows): Array<Record<string, unknown>> {
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name }, index) => [name, jsonValue(row[index])])),
  );
}

function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, jsonValue(child)]));
  return value ?? null;
}

function cellText(value: unknown): string {
  const plain = jsonValue(value);
  if (plain === null) return '';
  return typeof plain === 'object' ? JSON.stringify(plain) : String(plain);
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = cellText(value);
  return text === '' ? '""' : quoted(text);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cut(text: string): string {
  const letters = [...text];
  return letters.length <= CELL_MAX ? text : `${letters.slice(0, CELL_MAX - 1).join('')}…`;
}
