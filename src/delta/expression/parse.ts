/**
 * What a condition says of single columns. Only the parts that compare a column with a literal (or with a column of
 * another table) are understood; every other part is `unknown`, which may be anything.
 */
import { isSign, isWord, tokenise, type Token } from './token.js';

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** A literal as it is written: the number's digits, the text between the quotes, or the digits of `unhex('00ff')`. */
export interface Literal {
  readonly kind: 'number' | 'string' | 'bytes' | 'boolean' | 'date' | 'timestamp';
  readonly text: string;
}

/** A column, with the table that it is said to be of. */
export interface ColumnName {
  readonly table?: string;
  readonly column: string;
}

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | {
      readonly kind: 'compare';
      readonly column: ColumnName;
      readonly op: Comparison;
      readonly value: Literal;
    }
  | {
      readonly kind: 'columns';
      readonly left: ColumnName;
      readonly op: Comparison;
      readonly right: ColumnName;
    }
  | { readonly kind: 'isNull'; readonly column: ColumnName }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'unknown' };

const UNKNOWN: Condition = { kind: 'unknown' };

/** Never throws: what is not understood is `unknown`. */
export function parseCondition(text: string): Condition {
  const tokens = tokenise(text);
  return tokens ? parse(tokens) : UNKNOWN;
}

function parse(tokens: readonly Token[]): Condition {
  const inner = withoutParentheses(tokens);
  if (inner.length === 0) return UNKNOWN;
  const alternatives = split(inner, 'OR');
  if (!alternatives) return UNKNOWN;
  if (alternatives.length > 1) return { kind: 'or', parts: alternatives.map(parse) };
  const conjuncts = split(inner, 'AND') ?? [];
  if (conjuncts.length > 1) return { kind: 'and', parts: conjuncts.map(parse) };
  if (isWord(inner[0], 'NOT')) return { kind: 'not', part: parse(inner.slice(1)) };
  return parseAtom(inner);
}

/** Splits at a word outside parentheses and CASE; the AND of a BETWEEN is no such word. Undefined where they do not pair. */
function split(tokens: readonly Token[], word: 'OR' | 'AND'): Token[][] | undefined {
  const parts: Token[][] = [[]];
  let depth = 0;
  let between = 0;
  for (const token of tokens) {
    if (isSign(token, '(') || isSign(token, '[') || isSign(token, '{') || isWord(token, 'CASE')) depth += 1;
    if (isSign(token, ')') || isSign(token, ']') || isSign(token, '}') || isWord(token, 'END')) depth -= 1;
    if (depth < 0) return undefined;
    if (depth === 0 && isWord(token, 'BETWEEN')) between += 1;
    const belongsToBetween = isWord(token, 'AND') && between > 0;
    if (depth === 0 && belongsToBetween) between -= 1;
    if (depth === 0 && isWord(token, word) && !belongsToBetween) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return depth === 0 ? parts : undefined;
}

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens;
  while (isSign(inner[0], '(') && isSign(inner.at(-1), ')') && enclosesAll(inner)) inner = inner.slice(1, -1);
  return inner;
}

/** Whether the first parenthesis is closed by the last token, not earlier. */
function enclosesAll(tokens: readonly Token[]): boolean {
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (isSign(token, '(')) depth += 1;
    if (isSign(token, ')')) depth -= 1;
    if (depth === 0) return index === tokens.length - 1;
  }
  return false;
}

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

interface Taken<Value> {
  readonly value: Value;
  readonly rest: readonly Token[];
}

function parseAtom(tokens: readonly Token[]): Condition {
  const first = takeLiteral(tokens);
  if (first && first.rest.length === 0 && first.value.kind === 'boolean') {
    return { kind: 'constant', value: first.value.text === 'true' };
  }
  if (first) {
    const op = comparisonOf(first.rest[0]);
    const column = takeColumn(first.rest.slice(1));
    if (!op || !column || column.rest.length > 0) return UNKNOWN;
    return { kind: 'compare', column: column.value, op: MIRRORED[op], value: first.value };
  }
  const column = takeColumn(tokens);
  return column ? parseAfterColumn(column.value, column.rest) : UNKNOWN;
}

function parseAfterColumn(column: ColumnName, rest: readonly Token[]): Condition {
  if (rest.length === 0) {
    return { kind: 'compare', column, op: '=', value: { kind: 'boolean', text: 'true' } };
  }
  const op = comparisonOf(rest[0]);
  if (op) return parseComparison(column, op, rest.slice(1));
  if (isWord(rest[0], 'IS')) {
    const negated = isWord(rest[1], 'NOT');
    if (!isWord(rest[negated ? 2 : 1], 'NULL') || rest.length !== (negated ? 3 : 2)) return UNKNOWN;
    return negated ? not({ kind: 'isNull', column }) : { kind: 'isNull', column };
  }
  const negated = isWord(rest[0], 'NOT');
  const after = negated ? rest.slice(1) : rest;
  const found = isWord(after[0], 'IN')
    ? parseIn(column, after.slice(1))
    : isWord(after[0], 'BETWEEN')
      ? parseBetween(column, after.slice(1))
      : UNKNOWN;
  return negated ? not(found) : found;
}

function parseComparison(column: ColumnName, op: Comparison, rest: readonly Token[]): Condition {
  const literal = takeLiteral(rest);
  if (literal)
    return literal.rest.length === 0 ? { kind: 'compare', column, op, value: literal.value } : UNKNOWN;
  const other = takeColumn(rest);
  if (!other || other.rest.length > 0) return UNKNOWN;
  return { kind: 'columns', left: column, op, right: other.value };
}

function parseIn(column: ColumnName, tokens: readonly Token[]): Condition {
  if (!isSign(tokens[0], '(')) return UNKNOWN;
  const parts: Condition[] = [];
  const literals: Literal[] = [];
  let rest = tokens.slice(1);
  for (;;) {
    const literal = takeLiteral(rest);
    if (!literal) return UNKNOWN;
    literals.push(literal.value);
    parts.push({ kind: 'compare', column, op: '=', value: literal.value });
    rest = literal.rest.slice(1);
    if (isSign(literal.rest[0], ')'))
      return rest.length === 0 && areAlike(literals) ? { kind: 'or', parts } : UNKNOWN;
    if (!isSign(literal.rest[0], ',')) return UNKNOWN;
  }
}

function parseBetween(column: ColumnName, tokens: readonly Token[]): Condition {
  const low = takeLiteral(tokens);
  const high = low && isWord(low.rest[0], 'AND') ? takeLiteral(low.rest.slice(1)) : undefined;
  if (!low || !high || high.rest.length > 0 || !areAlike([low.value, high.value])) return UNKNOWN;
  return {
    kind: 'and',
    parts: [
      { kind: 'compare', column, op: '>=', value: low.value },
      { kind: 'compare', column, op: '<=', value: high.value },
    ],
  };
}

/**
 * An engine compares a column with all literals of an IN or a BETWEEN in one type: one that is a double makes the others
 * doubles too, and whole numbers past 2^53 equal then that are not.
 */
function areAlike(literals: readonly Literal[]): boolean {
  const form = ({ kind, text }: Literal): string => (kind === 'number' && /e/i.test(text) ? 'double' : kind);
  return new Set(literals.map(form)).size <= 1;
}

function not(part: Condition): Condition {
  return part.kind === 'unknown' ? UNKNOWN : { kind: 'not', part };
}

function comparisonOf(token: Token | undefined): Comparison | undefined {
  return token?.kind === 'sign' ? COMPARISONS[token.text] : undefined;
}

function takeLiteral(tokens: readonly Token[]): Taken<Literal> | undefined {
  const [first, second] = tokens;
  if (first?.kind === 'string') return { value: { kind: 'string', text: first.text }, rest: tokens.slice(1) };
  if (first?.kind === 'number') return { value: { kind: 'number', text: first.text }, rest: tokens.slice(1) };
  if (isSign(first, '-') && second?.kind === 'number') {
    return { value: { kind: 'number', text: `-${second.text}` }, rest: tokens.slice(2) };
  }
  if (isWord(first, 'TRUE') || isWord(first, 'FALSE')) {
    const text = isWord(first, 'TRUE') ? 'true' : 'false';
    return { value: { kind: 'boolean', text }, rest: tokens.slice(1) };
  }
  if (isWord(first, 'UNHEX')) return takeBytes(tokens);
  if (second?.kind !== 'string') return undefined;
  if (isWord(first, 'DATE')) return { value: { kind: 'date', text: second.text }, rest: tokens.slice(2) };
  return isWord(first, 'TIMESTAMP') || isWord(first, 'TIMESTAMPTZ')
    ? { value: { kind: 'timestamp', text: second.text }, rest: tokens.slice(2) }
    : undefined;
}

function takeBytes([, open, digits, close, ...rest]: readonly Token[]): Taken<Literal> | undefined {
  if (!isSign(open, '(') || digits?.kind !== 'string' || !isSign(close, ')')) return undefined;
  const isWhole = /^(?:[0-9A-Fa-f]{2})*$/.test(digits.text);
  return isWhole ? { value: { kind: 'bytes', text: digits.text }, rest } : undefined;
}

/** Words that stand where a column may and are none. */
const RESERVED = new Set(
  'NULL NOT AND OR CASE WHEN THEN ELSE END IS IN BETWEEN LIKE EXISTS SELECT INTERVAL CAST'.split(' '),
);

function takeColumn(tokens: readonly Token[]): Taken<ColumnName> | undefined {
  const [first, dot, second] = tokens;
  if (first?.kind !== 'name') return undefined;
  if (first.quote === '' && RESERVED.has(first.text.toUpperCase())) return undefined;
  if (!isSign(dot, '.')) {
    return isSign(dot, '(') ? undefined : { value: { column: first.text }, rest: tokens.slice(1) };
  }
  if (second?.kind !== 'name' || isSign(tokens[3], '.') || isSign(tokens[3], '(')) return undefined;
  return { value: { table: first.text, column: second.text }, rest: tokens.slice(3) };
}
