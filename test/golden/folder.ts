/** Golden folders: tables of other writers with their right answers. One is of our own making, the large one is not here. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StructType } from '../../src/delta/index.js';

/** What `expected.json` says of one table; fields are absent where nobody could read it. */
export interface Expected {
  readonly version?: number;
  readonly protocol?: readonly [number, number];
  readonly readerFeatures?: readonly string[];
  readonly partitionColumns?: readonly string[];
  readonly schema?: StructType;
  readonly numFiles?: number;
  readonly rows?: number;
  readonly rowsByVersion?: Readonly<Record<string, number | string>>;
  readonly note: string;
}

export interface GoldenFolder {
  readonly path: string;
  readonly tables: Readonly<Record<string, Expected>>;
  /** Lines of the right rows, or undefined where there are none (only the log is there). */
  rowsOf(name: string): readonly string[] | undefined;
}

/** `DATALAB_GOLDEN_DIR`, else `../shared/golden` beside the repository; a reason where neither is there. */
export function findGoldenFolder(): GoldenFolder | { readonly missing: string } {
  return openGoldenFolder(
    resolve(process.env['DATALAB_GOLDEN_DIR'] ?? join(import.meta.dirname, '../../../shared/golden')),
  );
}

/** The tables that `test/golden/make` wrote with delta-rs and with Spark. */
export function ownGoldenFolder(): GoldenFolder | { readonly missing: string } {
  return openGoldenFolder(join(import.meta.dirname, 'own'));
}

function openGoldenFolder(path: string): GoldenFolder | { readonly missing: string } {
  if (!existsSync(join(path, 'expected.json'))) return { missing: `not found: no expected.json in ${path}` };
  return {
    path,
    tables: JSON.parse(readFileSync(join(path, 'expected.json'), 'utf8')) as Record<string, Expected>,
    rowsOf: (name) => {
      const file = join(path, 'expected_rows', `${name}.jsonl`);
      if (!existsSync(file)) return undefined;
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    },
  };
}
