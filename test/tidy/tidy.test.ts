/**
 * The conventions of the house, as tests: each names what to write instead, and each is shown to find what it is for.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');
const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8');
const isText = (file: string): boolean =>
  /\.(ts|mjs|js|json|md|yaml|yml|sql|sh|css|html|xml|properties)$/.test(file);

interface Rule {
  readonly name: string;
  readonly applies: (file: string) => boolean;
  readonly finds: RegExp;
  readonly instead: string;
  /** Text that the rule must find. */
  readonly example: string;
}

const isSource = (file: string): boolean => file.startsWith('src/') && file.endsWith('.ts');
/** Spelled in two halves, so that this file does not find itself. */
const glue = (...parts: string[]): string => parts.join('');

const RULES: readonly Rule[] = [
  {
    name: 'no unfinished work',
    applies: isSource,
    finds: /\b(TODO|FIXME|XXX)\b/,
    instead: 'finish it, or open an issue',
    example: glue('// TO', 'DO: later'),
  },
  {
    name: 'no printing outside the command line',
    applies: (file) =>
      isSource(file) && !/^src\/(cli|platform)\//.test(file) && file !== 'src/workflow-bundle.ts',
    finds: /\bconsole\.\w+\(/,
    instead: 'the logger that is handed in',
    example: glue('console', '.log(1)'),
  },
  {
    name: 'no machine paths',
    applies: isText,
    finds: /(^|["'`\s=(])\/(root|home\/\w+|Users\/\w+|work)\//m,
    instead: 'a path relative to the project',
    example: glue('"/ro', 'ot/x"'),
  },
  {
    name: 'no download addresses in the lock file',
    applies: (file) => file === 'package-lock.json',
    finds: /"resolved": *"https?:/,
    instead: 'omit-lockfile-registry-resolved=true in .npmrc',
    example: glue('"resol', 'ved": "https://x"'),
  },
  {
    name: 'no test that is only here to be skipped',
    applies: (file) => file.startsWith('test/') && file.endsWith('.ts'),
    finds: /\b(it|test|describe)\.(only|todo)\(/,
    instead: 'a test that runs, or skipIf with its reason',
    example: glue('it.on', 'ly('),
  },
];

describe('the tree', () => {
  it.each(RULES)('$name', ({ applies, finds, instead, example }) => {
    expect(example).toMatch(finds);
    const found = files.filter(applies).filter((file) => finds.test(read(file)));
    expect(found, `write instead: ${instead}`).toEqual([]);
  });

  it('opens every source file with what it is for', () => {
    const silent = files.filter(isSource).filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)));
    expect(silent).toEqual([]);
  });

  it('gives every Markdown page one title', () => {
    const pages = files.filter((file) => file.endsWith('.md'));
    const titles = (text: string): number => text.replace(/```.*?```/gs, '').match(/^# /gm)?.length ?? 0;
    expect(pages.filter((page) => titles(read(page)) !== 1)).toEqual([]);
  });

  it('has no link in its pages that leads nowhere', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((page) =>
        [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
          .map(([, target]) => new URL(target ?? '', `file:///${page}`).pathname.slice(1))
          .filter(
            (target) =>
              !files.some((file) => file === target || file.startsWith(`${target.replace(/\/$/, '')}/`)),
          )
          .map((target) => `${page} → ${target}`),
      );
    expect(broken).toEqual([]);
  });

  it('keeps the changelog in its format', () => {
    const headings = read('CHANGELOG.md').match(/^## .*$/gm) ?? [];
    expect(headings[0]).toBe('## [Unreleased]');
    for (const heading of headings.slice(1))
      expect(heading).toMatch(/^## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/);
  });

  it('names no room in the architecture that is not there, and misses none', () => {
    const rooms = new Set(
      files.filter((file) => /^src\/[^/]+\//.test(file)).map((file) => file.split('/')[1]),
    );
    const described = new Set(
      [...read('docs/ARCHITECTURE.md').matchAll(/^\| `src\/([\w-]+)\/`/gm)].map(([, room]) => room),
    );
    expect([...described].sort()).toEqual([...rooms].sort());
  });
});
