/** Both languages say the same things, and every field of a form has its title and its description in both. */
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

it('both languages have the same texts, with the same figures in them', () => {
  const figures = (text: string): string[] => text.match(/\{\{\w+\}\}/g)?.sort() ?? [];
  const [english, portuguese] = [new Map(leaves(en)), new Map(leaves(ptBR))];
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
