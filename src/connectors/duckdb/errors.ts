/** DuckDB's errors as errors of the house. */
import { DatalabError, type ErrorCode } from '../../contracts/errors.js';

/** How DuckDB starts its messages, most particular first. */
const KINDS: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [/^Out of Memory Error|failed to (allocate|pin block)|could not allocate/i, 'ENGINE_OUT_OF_MEMORY'],
  [/^Permission Error/i, 'ENGINE_ACCESS_DENIED'],
  [/configuration has been locked/i, 'ENGINE_ACCESS_DENIED'],
  [/^IO Error/i, 'ENGINE_IO_FAILED'],
];

/** The first line of a statement that says something, cut to what a message can carry. */
export function firstLine(sql: string): string {
  const line = sql.split('\n').find((text) => text.trim() !== '' && !text.trim().startsWith('--')) ?? '';
  return line.trim().length > 120 ? `${line.trim().slice(0, 117)}...` : line.trim();
}

/** Wraps what DuckDB threw; the statement's first line tells which one it was. */
export function engineError(cause: unknown, sql: string): DatalabError {
  if (cause instanceof DatalabError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'ENGINE_SQL_FAILED';
  const said = text.length > 600 ? `${text.slice(0, 597)}...` : text;
  return new DatalabError(code, `${said.trimEnd()} (in: ${firstLine(sql)})`, { cause });
}
