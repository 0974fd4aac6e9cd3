/** By what a source is known (DESIGN law 1). */
import { createHash } from 'node:crypto';
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { LocalSource } from '../contracts/sources.js';

/**
 * The source under the identity that it has in the dataset. Mostly that is its bytes, under whatever name and of whatever
 * time. Where a file takes the place of what it held before, its place and time count too: what it held once may come back.
 */
export function identified({ replaces = false }: DatasetDefinition, source: LocalSource): LocalSource {
  if (!replaces) return source;
  const state = [source.contentHash, source.path, new Date(source.modifiedMs).toISOString()].join('\0');
  return { ...source, sourceId: createHash('sha256').update(state).digest('hex') };
}
