/** RFC 4180 with a header. NULL is an empty field, an empty text is `""`. */
import { plain } from './records.js';

interface Rows {
  readonly columns: ReadonlyArray<{ readonly name: string }>;
  readonly rows: ReadonlyArray<readonly unknown[]>;
}

export function csvOf({ columns, rows }: Rows): string {
  const lines = [columns.map(({ name }) => quoted(name)), ...rows.map((row) => row.map(cell))];
  return `${lines.map((line) => line.join(',')).join('\n')}\n`;
}

function cell(value: unknown): string {
  const shown = plain(value);
  if (shown === null) return '';
  const text = typeof shown === 'object' ? JSON.stringify(shown) : String(shown);
  return text === '' ? '""' : quoted(text);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
