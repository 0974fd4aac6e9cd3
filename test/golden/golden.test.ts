/** Every table of the golden folder gives its right answer, is refused, or is skipped with a reason. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { DeltaError } from '../../src/delta/index.js';
import { differences } from './check-table.js';
import { findGoldenFolder, ownGoldenFolder, type GoldenFolder } from './folder.js';
import { REGISTRY, type GoldenCase } from './registry.js';

const folder = findGoldenFolder();
const scratch = mkdtempSync(join(tmpdir(), 'datalab-golden-'));
const engine = createDuckDbEngine({ memoryLimit: '1GB', threads: 2, spillDirectory: scratch });
const counts = { pass: 0, negative: 0, skip: 0 };
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  console.log(`golden tables: ${JSON.stringify(counts)}`);
});

const PASS: GoldenCase = { status: 'pass' };

function check(golden: GoldenFolder, name: string): Promise<string[]> {
  const entry = REGISTRY[name] ?? PASS;
  const expected = golden.tables[name] ?? { note: '' };
  const corrected = entry.status === 'pass' ? entry.corrected : undefined;
  const lines = corrected?.ignoreRows ? undefined : golden.rowsOf(name);
  return differences(golden.path, name, { ...expected, ...corrected?.facts }, lines, engine);
}

const own = ownGoldenFolder();
if ('missing' in own) throw new Error(own.missing);
describe.each(Object.keys(own.tables))('of our own: %s', (name) => {
  test('gives its right answer', async () => {
    const found = (await check(own, name)).join('\n');
    expect(found, found).toBe('');
  });
});
test('our own tables are of both writers', () => {
  const writers = Object.keys(own.tables).map((name) => name.split('/')[0]);
  expect([...new Set(writers)].sort()).toEqual(['delta-rs', 'spark']);
});

if ('missing' in folder) {
  test.skip(`golden tables: skipped, ${folder.missing}`, () => undefined);
} else {
  describe.each(Object.keys(folder.tables))('%s', (name) => {
    const entry = REGISTRY[name] ?? PASS;
    counts[entry.status] += 1;
    switch (entry.status) {
      case 'pass':
        test('gives its right answer', async () => {
          const found = (await check(folder, name)).join('\n');
          expect(found, found).toBe('');
        });
        break;
      case 'negative':
        test(`is refused: ${entry.message}`, async () => {
          const error: unknown = await check(folder, name).catch((thrown: unknown) => thrown);
          expect(error).toBeInstanceOf(DeltaError);
          expect(error).toMatchObject({ code: entry.code });
          expect((error as DeltaError).message).toContain(entry.message);
        });
        break;
      case 'skip':
        test(`is skipped: ${entry.reason}`, async () => {
          const found = await check(folder, name).catch((error: unknown) => [String(error)]);
          expect(found, 'it passes now: register it as pass').not.toEqual([]);
        });
        break;
    }
  });

  test('the registry names tables that are there', () => {
    const strangers = Object.keys(REGISTRY).filter((name) => !(name in folder.tables));
    // Another folder than the usual one may have other tables.
    if (process.env['DATALAB_GOLDEN_DIR'] === undefined) expect(strangers).toEqual([]);
  });
}
