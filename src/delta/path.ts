/** Paths of data files: URIs in the log, keys in the store. */
import type { DeletionVector } from './actions.js';
import { DeltaError } from './errors.js';

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:/;

/**
 * One spelling per file: decoded once, and `file:/x`, `file:///x`, `/x` made equal, so that an add and a remove of one
 * file meet whatever their writers were.
 */
export function canonicalPath(path: string): string {
  if (!/[%:]/.test(path)) return path;
  const decoded = decodeOnce(path);
  const local = /^file:\/*(?=\/)/i.exec(decoded);
  return local ? `/${decoded.slice(local[0].length).replace(/^\/+/, '')}` : decoded;
}

/** Percent-decodes exactly once. Text that is no valid encoding (raw `%`) is taken as it stands. */
export function decodeOnce(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A key as a URI path: every byte that is not plainly safe is percent-encoded, `/` is kept. */
export function encodePath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

/**
 * Key of a logged path in the table's store. An absolute path is accepted where it lies under the table's root.
 * Throws DELTA_PATH_OUTSIDE.
 */
export function keyOfPath(path: string, rootUri: string): string {
  const canonical = canonicalPath(path);
  if (!SCHEME.test(canonical) && !canonical.startsWith('/')) return canonical.replace(/^\.\//, '');
  const root = `${canonicalPath(rootUri).replace(/\/+$/, '')}/`;
  if (canonical.startsWith(root)) return canonical.slice(root.length);
  throw new DeltaError('DELTA_PATH_OUTSIDE', `'${path}' is outside the table ${rootUri}`);
}

/** Identity of a deletion vector in replay; empty where there is none. */
export function vectorId(vector: DeletionVector | undefined): string {
  if (!vector) return '';
  const offset = vector.offset === undefined ? '' : `@${vector.offset}`;
  return `${vector.storageType}${vector.pathOrInlineDv}${offset}`;
}
