import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { globPattern, literalPrefix } from '../../src/connectors/sources/glob.js';
import { openSources } from '../../src/connectors/sources/index.js';
import type { SourceReader } from '../../src/contracts/sources.js';

let folder: string;
let reader: SourceReader;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datalab-sources-'));
  reader = openSources({ projectDirectory: folder });
  mkdirSync(join(folder, 'in/deep'), { recursive: true });
  for (const name of ['b.csv', 'a.csv', 'c.txt', 'deep/d.csv', 'é ü.csv']) {
    writeFileSync(join(folder, 'in', name), `bytes of ${name}`);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function names(location: string): Promise<string[]> {
  const listed = await reader.list(location);
  return listed.map(({ path }) => decodeURI(path).slice(`${pathToFileURL(folder).href}/in/`.length));
}

describe('local sources', () => {
  it('lists a file, a folder or a glob, sorted by path', async () => {
    expect(await names('in/a.csv')).toEqual(['a.csv']);
    expect(await names('in')).toEqual(['é ü.csv', 'a.csv', 'b.csv', 'c.txt']);
    expect(await names('in/*.csv')).toEqual(['é ü.csv', 'a.csv', 'b.csv']);
    expect(await names('in/**/*.csv')).toEqual(['é ü.csv', 'a.csv', 'b.csv', 'deep/d.csv']);
    expect(await names(`file://${folder}/in/[ab].csv`)).toEqual(['a.csv', 'b.csv']);
    expect(await names(pathToFileURL(join(folder, 'in/é ü.csv')).href)).toEqual(['é ü.csv']);
    expect(await names('in/*.parquet')).toEqual([]);
    await expect(reader.list('in/none.csv')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  it('hashes files where they lie', async () => {
    for (const source of await reader.list('in/*.csv')) {
      const local = await reader.download(source, folder);
      const expected = createHash('sha256')
        .update(`bytes of ${basename(local.localPath)}`)
        .digest('hex');
      expect(local).toMatchObject({ ...source, sourceId: expected });
    }
  });

  it('fails when a file is not what was listed', async () => {
    const [source] = await reader.list('in/a.csv');
    if (!source) throw new Error('not listed');
    appendFileSync(join(folder, 'in/a.csv'), 'more');
    await expect(reader.download(source, folder)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      // Not this step again, which would read the same listing: the flow lists anew.
      retry: false,
    });
    writeFileSync(join(folder, 'in/a.csv'), 'bytes of a.csv');
    utimesSync(join(folder, 'in/a.csv'), 1, 1);
    await expect(reader.download(source, folder)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    rmSync(join(folder, 'in/a.csv'));
    await expect(reader.download(source, folder)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });
});

describe('globs over keys', () => {
  it.each([
    ['in/*.csv', 'in/a.csv', true],
    ['in/*.csv', 'in/deep/a.csv', false],
    ['in/**/*.csv', 'in/a.csv', true],
    ['in/**/*.csv', 'in/x/y/a.csv', true],
    ['in/**', 'in/x/y/a.csv', true],
    ['in/?.csv', 'in/ab.csv', false],
    ['in/{a,b}.csv', 'in/b.csv', true],
    ['in/{a,b}.csv', 'in/c.csv', false],
    ['in/[a-c].csv', 'in/b.csv', true],
    ['in/[!a-c].csv', 'in/b.csv', false],
    ['in/a+(b).csv', 'in/a+(b).csv', true],
    ['in/a.csv', 'in/axcsv', false],
  ])('%s on %s: %s', (pattern, key, expected) => {
    expect(globPattern(pattern).test(key)).toBe(expected);
  });

  it('limits a listing to what comes before the first glob character', () => {
    expect(literalPrefix('in/2024-*/a.csv')).toBe('in/2024-');
    expect(literalPrefix('in/a.csv')).toBe('in/a.csv');
  });
});
