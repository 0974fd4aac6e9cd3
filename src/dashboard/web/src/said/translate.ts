/** Sentences of one language in another, by the patterns that they are made of. */

/** An English sentence and the same in another language; `{name}` is what is filled in. */
export type Sentence = readonly [english: string, other: string];

interface Pattern {
  readonly finds: RegExp;
  readonly other: string;
}

const FILLED = /\{(\w+)\}/g;
const DEPTH_MAX = 4;
const KEPT_MAX = 2000;

/** Those that begin with a word of their own come first, then those with more of them: they are the more exact. */
function patternsOf(sentences: readonly Sentence[]): readonly Pattern[] {
  const literal = (text: string): string => text.replaceAll(/[.*+?^$()|[\]\\{}]/g, '\\$&');
  return [...sentences]
    .sort(
      ([a], [b]) =>
        Number(a.startsWith('{')) - Number(b.startsWith('{')) ||
        b.replaceAll(FILLED, '').length - a.replaceAll(FILLED, '').length,
    )
    .map(([english, other]) => {
      const parts = english
        .split(FILLED)
        .map((part, at) => (at % 2 === 0 ? literal(part) : `(?<${part}>.*?)`));
      return { finds: new RegExp(`^${parts.join('')}$`, 's'), other };
    });
}

/** Translates; `number` writes figures as the language does. */
export function translatorOf(
  sentences: readonly Sentence[],
  number: (text: string) => string,
): (text: string) => string {
  const patterns = patternsOf(sentences);
  const known = new Map<string, string>();
  const translated = (text: string, depth: number): string => {
    for (const { finds, other } of patterns) {
      const found = finds.exec(text);
      if (!found) continue;
      const filled = (name: string): string => found.groups?.[name] ?? '';
      return other.replaceAll(FILLED, (_, name: string) =>
        depth < DEPTH_MAX ? translated(filled(name), depth + 1) : filled(name),
      );
    }
    return number(text);
  };
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= KEPT_MAX) known.clear();
    const now = translated(text, 0);
    known.set(text, now);
    return now;
  };
}

/** Figures with decimals, and long ones: `0.4912` is `0,4912`, `12154` is `12.154`. A year stays. */
export function figureIn(language: string): (text: string) => string {
  return (text) => {
    const found = /^(-?)(\d+)(?:\.(\d+))?( ?%)?$/.exec(text);
    if (!found || (found[3] === undefined && (found[2] ?? '').length < 5)) return text;
    const digits = found[3]?.length ?? 0;
    const plain = Number(`${found[1]}${found[2]}.${found[3] ?? 0}`);
    const said = new Intl.NumberFormat(language, {
      ...{ minimumFractionDigits: digits, maximumFractionDigits: digits },
    }).format(plain);
    return `${said}${found[4] ?? ''}`;
  };
}
