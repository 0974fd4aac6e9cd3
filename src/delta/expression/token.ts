/** The words of a SQL expression, as far as pruning and constraints need them. */

export type Token =
  /** A name, without its quotes; `quote` is the character that enclosed it. */
  | { readonly kind: 'name'; readonly text: string; readonly quote: '' | '"' | '`' }
  | { readonly kind: 'number'; readonly text: string }
  /** A string literal, without its quotes. */
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string };

const PATTERN =
  /\s+|([A-Za-z_][A-Za-z0-9_]*)|"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|'((?:[^']|'')*)'|(<=>|<>|!=|<=|>=|==|\|\||::|->|[-+*/%(),.=<>[\]{}:&|^~!?@#;])/gy;

/**
 * The tokens, or undefined where the text holds something that could mean more than it seems: comments, escapes,
 * dollar quotes, prefixed strings (`E'…'`), characters of no SQL word.
 */
export function tokenise(text: string): Token[] | undefined {
  if (/\\|--|\/\*|\$|\0/.test(text)) return undefined;
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    PATTERN.lastIndex = at;
    const match = PATTERN.exec(text);
    if (!match) return undefined;
    const [, bare, quoted, ticked, number, string, sign] = match;
    if (string !== undefined && /[A-Za-z0-9_]/.test(text.charAt(at - 1))) return undefined;
    at = PATTERN.lastIndex;
    if (bare !== undefined) tokens.push({ kind: 'name', text: bare, quote: '' });
    else if (quoted !== undefined)
      tokens.push({ kind: 'name', text: quoted.replaceAll('""', '"'), quote: '"' });
    else if (ticked !== undefined)
      tokens.push({ kind: 'name', text: ticked.replaceAll('``', '`'), quote: '`' });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string.replaceAll("''", "'") });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
  }
  return tokens;
}

/** Whether the token is this keyword; a quoted name is none. */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'name' && token.quote === '' && token.text.toUpperCase() === word;
}

export function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === 'sign' && token.text === sign;
}
