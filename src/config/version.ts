/** Which version of DataLab this is. */
import { readFileSync } from 'node:fs';

/** As package.json says, which lies beside `src` and beside `dist`. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
