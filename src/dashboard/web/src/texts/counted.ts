/** Texts that count something, in every form that a language has for it: i18next chooses one by `count`. */

const NUMBER = '{{count, number}}';

/** English: one, and every other number, which stands where `#` does. */
export const englishCount = (name: string, one: string, other: string): Readonly<Record<string, string>> => ({
  [`${name}_one`]: one.replace('#', NUMBER),
  [`${name}_other`]: other.replace('#', NUMBER),
});

/**
 * Portuguese. Where `#~` stands for the number, `1.000.000 de linhas` is said of a round million. Its rules would say
 * `0 linha`, which nobody does.
 */
export function portugueseCount(name: string, one: string, other: string): Readonly<Record<string, string>> {
  const filled = (text: string, of: string): string =>
    text.replace('#~', `${NUMBER}${of}`).replace('#', NUMBER);
  return {
    [`${name}_zero`]: filled(other, ''),
    [`${name}_one`]: filled(one, ''),
    [`${name}_many`]: filled(other, ' de'),
    [`${name}_other`]: filled(other, ''),
  };
}
