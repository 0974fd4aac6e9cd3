/** `docs/reference/delta-support.md` says what the registries say, and every claim of theirs names a test that is there. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { format } from 'prettier';
import { CONSTRAINT_FUNCTIONS, CONSTRAINT_WORDS } from '../../src/delta/expression/spark-constraint.js';
import { FEATURES } from '../../src/delta/protocol.js';
import { SUPPORT } from '../../src/delta/support.js';

const page = new URL('../../docs/reference/delta-support.md', import.meta.url);
const WRITE = {
  yes: 'yes',
  no: 'refused',
  'when-idle': 'while not in use',
  'when-checked': 'yes; rows are checked',
} as const;

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');

function render(): Promise<string> {
  const features = Object.entries(FEATURES).map(([name, { read, write }]) => [
    `\`${name}\``,
    read ? 'yes' : 'refused',
    WRITE[write],
  ]);
  const sections = Object.entries(SUPPORT).flatMap(([title, rows]) => [
    `## ${title}`,
    '',
    ...table(
      ['', 'read', 'written', ''],
      rows.map(({ what, read, written, note }) => [what, read, written, note]),
    ),
    '',
  ]);
  const text = [
    '# What of Delta Lake is supported',
    '',
    'Written by `DATALAB_UPDATE_DOCS=1 npx vitest run test/tidy` from the registries in `src/delta/protocol.ts` and',
    '`src/delta/support.ts`. Whatever a table needs and this page does not name is refused with an error that names it.',
    '',
    '## Table features',
    '',
    'New tables get the weakest protocol that their schema needs: reader 1, writer 2, which every reader and writer knows;',
    'a `timestamp_ntz` column makes it 3 and 7.',
    '',
    ...table(['feature', 'read', 'written'], features),
    '',
    ...sections,
    '## The dialect of constraints',
    '',
    'CHECK constraints (`delta.constraints.*`) and invariants are Spark SQL. What means the same to the engine is evaluated:',
    `column names, bare or in backticks; numbers; strings in single quotes; the words ${code(CONSTRAINT_WORDS)} and \`DATE\``,
    `before a string; the functions ${code(CONSTRAINT_FUNCTIONS)}; and the signs of comparison, \`+ - * %\`, comma and`,
    'parentheses. A row satisfies a constraint when it is TRUE. A table with any other constraint is read and not written.',
    '',
  ].join('\n');
  return format(text, { parser: 'markdown', printWidth: 120, proseWrap: 'preserve' });
}

describe('the page of what is supported', () => {
  it('is what the registries say', async () => {
    const wanted = await render();
    if (process.env['DATALAB_UPDATE_DOCS']) writeFileSync(page, wanted);
    expect(readFileSync(page, 'utf8')).toBe(wanted);
  });

  it('names tests that are there', () => {
    const named = Object.values(SUPPORT).flatMap((rows) => rows.map(({ test }) => test));
    const missing = named.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)));
    expect(missing).toEqual([]);
  });
});
