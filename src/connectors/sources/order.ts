/** The order of listings: by the UTF-8 bytes of the path, wherever the objects lie. */
import type { SourceObject } from '../../contracts/sources.js';

export function byPath(sources: readonly SourceObject[]): SourceObject[] {
  return [...sources].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
