/** Both languages say the same things, and every field of a form has its title and its description in both. */
import i18next from 'i18next';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { FLOW_INPUTS } from '../../src/client/index.js';
import { en } from '../../src/dashboard/web/src/locale-en.js';
import { ptBR } from '../../src/dashboard/web/src/locale-pt-br.js';
import { descriptionsInPortuguese, inputTitles } from '../../src/dashboard/web/src/texts/inputs.js';

const leaves = (value: object, path = ''): Array<readonly [string, string]> =>
  Object.entries(value).flatMap(([key, one]) =>
    typeof one === 'object' && one !== null
      ? leaves(one as object, `${path}${key}.`)
      : [[`${path}${key}`, String(one)] as const],
  );

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly [more: string]: unknown;
}
/** Names of fields and texts, wherever they stand in a schema. */
function namedIn(node: Node, found = { fields: new Set<string>(), texts: new Set<string>() }): typeof found {
  if (node.description !== undefined) found.texts.add(node.description);
  Object.keys(node.properties ?? {}).forEach((name) => found.fields.add(name));
  for (const child of Object.values(node).flatMap((one) =>
    Array.isArray(one)
      ? (one as unknown[])
      : [one, ...(one === node.properties ? Object.values(one ?? {}) : [])],
  ))
    if (typeof child === 'object' && child !== null) namedIn(child as Node, found);
  return found;
}

const FORM = /_(zero|one|many|other)$/;
/** Of a text with forms, the form that every language has: the others are its own affair. */
const withoutForms = (texts: object): Map<string, string> =>
  new Map(leaves(texts).filter(([key]) => !FORM.test(key) || key.endsWith('_other')));

it('both languages have the same texts, with the same figures in them', () => {
  const figures = (text: string): string[] => text.match(/\{\{[\w, ]+\}\}/g)?.sort() ?? [];
  const [english, portuguese] = [withoutForms(en), withoutForms(ptBR)];
  expect([...portuguese.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [key, text] of english) expect(figures(portuguese.get(key) ?? ''), key).toEqual(figures(text));
});

it('every field of a flow’s input has a title and its description in both', () => {
  const found = { fields: new Set<string>(), texts: new Set<string>() };
  for (const schema of Object.values(FLOW_INPUTS))
    namedIn(z.toJSONSchema(schema, { io: 'input' }) as Node, found);
  expect(found.fields.size).toBeGreaterThan(20);
  expect([...found.fields].sort()).toEqual(Object.keys(inputTitles.en).sort());
  expect([...found.texts].sort()).toEqual(Object.keys(descriptionsInPortuguese).sort());
});

it.each([
  ['en', en, ['one', 'other']],
  ['pt-BR', ptBR, ['many', 'one', 'other', 'zero']],
] as const)('what counts something has every form that %s knows', (language, texts, wanted) => {
  const all = leaves(texts);
  const counting = new Set(all.filter(([key]) => FORM.test(key)).map(([key]) => key.replace(FORM, '')));
  expect(counting.size).toBeGreaterThan(10);
  for (const base of counting) {
    const forms = all.filter(([key]) => key.replace(FORM, '') === base && FORM.test(key));
    expect(forms.map(([key]) => FORM.exec(key)?.[1]).sort(), base).toEqual([...wanted]);
  }
  // A figure that is called `count` without forms would be said wrongly of one.
  expect(all.filter(([key, text]) => text.includes('{{count') && !FORM.test(key))).toEqual([]);
  expect(
    new Intl.PluralRules(language)
      .resolvedOptions()
      .pluralCategories.every((one) => (wanted as readonly string[]).includes(one)),
  ).toBe(true);
});

it('says one, none and a million as people do', async () => {
  const said = await i18next.createInstance().init({
    resources: { en: { translation: en }, 'pt-BR': { translation: ptBR } },
    lng: 'en',
  });
  const runs = (lng: string) =>
    [0, 1, 2, 12_154, 1_000_000].map((count) => said('runs.total', { count, lng }));
  expect(runs('en')).toEqual(['0 runs', '1 run', '2 runs', '12,154 runs', '1,000,000 runs']);
  expect(runs('pt-BR')).toEqual([
    ...['0 execuções', '1 execução', '2 execuções', '12.154 execuções', '1.000.000 de execuções'],
  ]);
  expect(said('starting.startBackfill', { count: 1, lng: 'pt-BR' })).toBe('Iniciar 1 execução');
});
