/** The JSON Schemas that editors complete and check with are those of the program, and the samples follow them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { glob } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig, type Config } from '../../src/config/config.js';
import { datasetSchema } from '../../src/config/dataset.js';
import { modelSchema } from '../../src/config/model.js';
import { configSchema } from '../../src/config/schema.js';

const ROOT = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');

function jsonSchema(title: string, schema: z.ZodType): string {
  // What a person may write (`input`), with the checks that only code can make left to the program.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

describe.each([
  ['docs/schema/datalab.schema.json', jsonSchema('datalab.yaml', configSchema)],
  ['docs/schema/dataset.schema.json', jsonSchema('dataset.yaml', datasetSchema)],
  ['docs/schema/model.schema.json', jsonSchema('models/<name>.yaml', modelSchema)],
])('%s', (file, text) => {
  it('is made of the schema that the program checks with', () => {
    if (process.env['DATALAB_UPDATE_DOCS']) writeFileSync(new URL(file, ROOT), text);
    expect(read(file)).toBe(text);
  });
});

it('every dataset names the schema in its first line', async () => {
  const datasets = await glob('datasets/*/dataset.yaml', { cwd: new URL('.', ROOT).pathname });
  expect(datasets.length).toBeGreaterThan(0);
  for (const file of datasets)
    expect(read(file).split('\n')[0]).toBe(
      '# yaml-language-server: $schema=../../docs/schema/dataset.schema.json',
    );
});

describe('datalab.example.yaml', () => {
  const text = read('datalab.example.yaml');

  it('is a configuration, with every default as it is', () => {
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=docs/schema/datalab.schema.json');
    expect(parseConfig(text, {})).toEqual(parseConfig('', {}));
  });

  it('names every key that has a default', () => {
    const written = leaves(parse(text) as object);
    expect([...written].sort()).toEqual([...leaves(parseConfig('', {}))].sort());
  });

  it('shows the keys without a default in comments', () => {
    const optional = [
      's3.endpoint',
      's3.accessKeyId',
      's3.secretAccessKey',
      'temporal.apiKey',
      'dashboard.publicUrl',
      'dashboard.url',
      'modelServer.url',
    ];
    for (const key of optional) expect(text).toMatch(new RegExp(`^ +# ${key.split('.')[1]}:`, 'm'));
    expect([...optionalKeys()].sort()).toEqual(optional.sort());
  });
});

/** Dotted paths of everything that is no mapping. */
function leaves(value: Config | object, at = ''): Set<string> {
  return new Set(
    Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
      const path = at === '' ? key : `${at}.${key}`;
      const isMapping = typeof child === 'object' && child !== null && !Array.isArray(child);
      return isMapping ? [...leaves(child, path)] : [path];
    }),
  );
}

/** Keys of the schema that the default configuration lacks. */
function optionalKeys(): Set<string> {
  interface Node {
    readonly properties?: Readonly<Record<string, Node>>;
  }
  const there = leaves(parseConfig('', {}));
  const walk = (node: Node, at: string): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
      const path = at === '' ? key : `${at}.${key}`;
      return child.properties ? walk(child, path) : [path];
    });
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  return new Set(walk(schema, '').filter((key) => !there.has(key)));
}
