/**
 * CHECK constraints and invariants are Spark SQL. What means the same in the engine is handed on, name by name and word by
 * word; everything else is refused, since a constraint that is checked otherwise than it was meant is worse than a write
 * that is refused. The words are listed here and in `docs/reference/delta-support.md`.
 */
import type { StructType } from '../schema.js';
import { quoteName } from '../checkpoint-parquet.js';
import { isSign, tokenise, type Token } from './token.js';

/** Keywords with one meaning in both. */
export const CONSTRAINT_WORDS = [
  ...['AND', 'OR', 'NOT', 'IS', 'NULL', 'TRUE', 'FALSE', 'IN', 'BETWEEN', 'LIKE'],
  ...['CASE', 'WHEN', 'THEN', 'ELSE', 'END'],
] as const;
/** Functions with one meaning in both. */
export const CONSTRAINT_FUNCTIONS = [
  ...['abs', 'coalesce', 'length', 'char_length', 'nullif', 'year', 'month', 'day'],
] as const;
/** Signs with one meaning in both; `/` is left out (Spark divides integers to doubles, decimals to decimals). */
const SIGNS = new Set(['(', ')', ',', '=', '==', '<>', '!=', '<', '<=', '>', '>=', '+', '-', '*', '%', '.']);

/** The engine's SQL of a constraint, or the part that cannot be taken over. */
export type TranslatedConstraint = { readonly sql: string } | { readonly refused: string };

/** Translates one constraint over the table's columns. */
export function translateConstraint(expression: string, schema: StructType): TranslatedConstraint {
  const tokens = tokenise(expression);
  if (!tokens) return { refused: 'escapes, comments or odd characters' };
  const columns = new Map(schema.fields.map((field) => [field.name.toLowerCase(), field.name]));
  const parts: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const part = translateToken(token, tokens, index, columns);
    if (part === undefined) return { refused: `'${token.text}'` };
    parts.push(part);
  }
  return { sql: parts.join(' ') };
}

function translateToken(
  token: Token,
  tokens: readonly Token[],
  index: number,
  columns: ReadonlyMap<string, string>,
): string | undefined {
  switch (token.kind) {
    case 'string':
      return `'${token.text.replaceAll("'", "''")}'`;
    case 'number':
      return token.text;
    case 'sign':
      return SIGNS.has(token.text) ? token.text : undefined;
    case 'name':
      return translateName(token, tokens, index, columns);
  }
}

function translateName(
  { text, quote }: Extract<Token, { kind: 'name' }>,
  tokens: readonly Token[],
  index: number,
  columns: ReadonlyMap<string, string>,
): string | undefined {
  // To Spark, text in double quotes is a string.
  if (quote === '"') return undefined;
  if (isSign(tokens[index - 1], '.')) return quoteName(text);
  if (quote === '' && isSign(tokens[index + 1], '(')) {
    const name = text.toLowerCase();
    if (isIn(CONSTRAINT_FUNCTIONS, name)) return name;
    return isIn(CONSTRAINT_WORDS, text.toUpperCase()) ? text.toUpperCase() : undefined;
  }
  const column = columns.get(text.toLowerCase());
  if (column !== undefined) return quoteName(column);
  if (quote === '`') return undefined;
  const word = text.toUpperCase();
  if (word === 'DATE' && tokens[index + 1]?.kind === 'string') return word;
  return isIn(CONSTRAINT_WORDS, word) ? word : undefined;
}

function isIn(list: readonly string[], text: string): boolean {
  return list.includes(text);
}
