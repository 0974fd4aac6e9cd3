/** Names and values as SQL text. Every statement that is put together anywhere quotes with these two, and nothing else. */

/** A name as a quoted identifier: `a"b` becomes `"a""b"`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names as a list of quoted identifiers. */
export function identifiers(names: readonly string[]): string {
  return names.map(identifier).join(', ');
}

/** A text as a string literal: `it's` becomes `'it''s'`. NUL cannot be part of a SQL text and is refused. */
export function literal(text: string): string {
  if (text.includes('\0')) {
    throw new RangeError('a NUL character cannot be part of a SQL literal');
  }
  return `'${text.replaceAll("'", "''")}'`;
}

/** Texts as a list literal: `['a', 'b']`. */
export function literalList(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}
