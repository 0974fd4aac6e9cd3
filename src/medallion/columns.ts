/** Which column of a source stands for which declared one. */
import type { ColumnDefinition, DatasetDefinition } from '../contracts/dataset.js';

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
