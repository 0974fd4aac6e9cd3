/** Many new sources in shares, each for a worker to read. */
import type { SourceObject } from '../contracts/sources.js';

/** Each is an activity, and a manifest in the lake. */
const SHARES_MAX = 64;

/**
 * Shares of about so many bytes, as equal as whole sources allow; none where one worker reads them all. Sources of one size
 * are never apart: they may hold the same bytes, of which one is taken, and whoever reads them must see them all.
 */
export function sharesOf(sources: readonly SourceObject[], shareBytes: number): SourceObject[][] {
  const bytes = weight(sources);
  if (bytes <= shareBytes) return [];
  const groups = bySize(sources);
  const count = Math.min(Math.ceil(bytes / shareBytes), groups.length, SHARES_MAX);
  if (count < 2) return [];
  const shares = Array.from({ length: count }, () => ({ bytes: 0, sources: new Set<SourceObject>() }));
  for (const group of groups) {
    const smallest = shares.reduce((best, share) => (share.bytes < best.bytes ? share : best));
    for (const source of group) smallest.sources.add(source);
    smallest.bytes += weight(group);
  }
  // In the order of the listing, as one worker would read them.
  return shares.map((share) => sources.filter((source) => share.sources.has(source)));
}

/** The heaviest first. Of unknown size are what nobody can tell before reading, and stretches of a topic. */
function bySize(sources: readonly SourceObject[]): SourceObject[][] {
  const groups = new Map<number, SourceObject[]>();
  for (const source of sources) {
    const size = source.offsets ? 0 : source.sizeBytes;
    const group = groups.get(size);
    if (group) group.push(source);
    else groups.set(size, [source]);
  }
  return [...groups.values()].sort((left, right) => weight(right) - weight(left));
}

function weight(group: readonly SourceObject[]): number {
  return group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
