/** Which column of a source stands for which declared one. */
import type { ColumnDefinition, DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { LocalSource } from '../contracts/sources.js';

/** The names that a source may give the column, its own first. */
export function namesOf({ name, aliases = [] }: ColumnDefinition): string[] {
  return [name, ...aliases];
}

/** Where the column is in a header, or -1. */
export function placeOf(column: ColumnDefinition, header: readonly string[]): number {
  return header.indexOf(namesOf(column).find((name) => header.includes(name)) ?? column.name);
}

/** Names of a header that stand for no declared column. */
export function undeclared(dataset: DatasetDefinition, header: readonly string[]): string[] {
  const taken = new Set(dataset.columns.map((column) => placeOf(column, header)));
  return header.filter((_, index) => !taken.has(index));
}

/** Throws SOURCE_HEADER_MISMATCH where a required column is missing or a name is there twice. `how` tells how it was read. */
export function requireHeader(
  { columns }: DatasetDefinition,
  source: LocalSource,
  names: readonly string[],
  how: string,
): void {
  const missing = columns.filter((column) => column.required && placeOf(column, names) < 0);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const problems = [
    ...missing.map((column) => `the required column '${column.name}' is missing`),
    ...twice.map((name) => `the column '${name}' is there twice`),
  ];
  if (problems.length === 0) return;
  const shown = names.map((name) => `'${name.slice(0, 60)}'`).join(', ');
  throw new DatalabError(
    'SOURCE_HEADER_MISMATCH',
    `${source.path}: ${problems.join(', ')}; its header, ${how}, is: ${shown.slice(0, 1000)}`,
  );
}
