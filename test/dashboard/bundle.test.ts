/** The built page: small enough to be there at once, and complete in itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const web = fileURLToPath(new URL('../../dist/dashboard/web', import.meta.url));
const built = existsSync(path.join(web, 'index.html'));
const FIRST_LOAD_KB_MAX = 150;
const ALL_KB_MAX = 230;

describe('the page', () => {
  it.skipIf(!built)('stays within its budget, compressed', () => {
    const index = readFileSync(path.join(web, 'index.html'), 'utf8');
    const kb = (file: string): number => gzipSync(readFileSync(path.join(web, 'assets', file))).length / 1000;
    const files = readdirSync(path.join(web, 'assets')).filter((file) => /\.(js|css)$/.test(file));
    const sum = (some: readonly string[]): number => some.reduce((total, file) => total + kb(file), 0);
    expect(sum(files.filter((file) => index.includes(file)))).toBeLessThan(FIRST_LOAD_KB_MAX);
    expect(sum(files)).toBeLessThan(ALL_KB_MAX);
  });

  it.skipIf(!built)('has no inline script and asks no other host', () => {
    const index = readFileSync(path.join(web, 'index.html'), 'utf8');
    expect(index).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(index).not.toMatch(/https?:\/\//);
  });
});
