/** Which DataLab this is. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Beside `src` and beside `dist`. */
const MANIFEST = new URL('../../package.json', import.meta.url);
const REVISION_LENGTH = 10;

/** The version that the package has. */
export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(MANIFEST, 'utf8'))).version;

/** The package's version, with the revision that DATALAB_GIT_REVISION names: `0.1.0`, or `0.1.0+1a2b3c4d5e`. */
export function productVersion(env: Readonly<Record<string, string | undefined>>): string {
  const revision = env['DATALAB_GIT_REVISION']?.slice(0, REVISION_LENGTH);
  return revision ? `${VERSION}+${revision}` : VERSION;
}
