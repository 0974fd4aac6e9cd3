/** The guide's code runs, and prints what the guide says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import ts from 'typescript';
import * as connectors from '../../src/connectors/index.js';
import * as delta from '../../src/delta/index.js';
import { deltaLab } from '../support/delta-lab.js';

const lab = deltaLab();
const guide = readFileSync(new URL('../../docs/guides/delta.md', import.meta.url), 'utf8');

test('docs/guides/delta.md', async () => {
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block ?? '');
  expect(blocks.length).toBeGreaterThan(8);
  const code = blocks
    .join('\n')
    .replace(/^import (\{.*\}) from 'datalab\/(\w+)';$/gm, 'const $1 = $2;')
    .replaceAll('console.log(', 'print(');
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const printed: string[] = [];
  const print = (...values: unknown[]): void => void printed.push(values.map(String).join(' '));
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction('delta', 'connectors', 'folder', 'print', outputText)(
    delta,
    connectors,
    lab.folder,
    print,
  );
  const said = blocks.flatMap((block) => [...block.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text));
  expect(said.length).toBeGreaterThan(8);
  expect(printed).toEqual(said);
});
