/** `docs/reference/errors.md` lists every error code, with the remedy that the program prints, and no other. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/contracts/errors.js';
import { DELTA_ERRORS } from '../../src/delta/index.js';

const page = new URL('../../docs/reference/errors.md', import.meta.url);

function render(): string {
  const rows = Object.entries({ ...ERRORS, ...DELTA_ERRORS })
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(
      ([code, { retry, remedy }]) =>
        `| \`${code}\` | ${retry ? 'yes' : 'no'} | ${remedy.replaceAll('|', '\\|')} |`,
    );
  return [
    '# Errors',
    '',
    'Every error has a code, says what happened and where, and what to do. In Temporal the code is the failure’s type.',
    '“Tried again” says whether Temporal repeats the step by itself. Written by `DATALAB_UPDATE_DOCS=1 npx vitest run test/tidy`.',
    '',
    '| code | tried again | what to do |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

describe('the page of errors', () => {
  it('is what the program says', () => {
    if (process.env['DATALAB_UPDATE_DOCS']) writeFileSync(page, render());
    expect(readFileSync(page, 'utf8')).toBe(render());
  });
});
