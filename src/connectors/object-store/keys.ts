/** Rules for keys that all stores share. */

/**
 * Throws where a key could leave the root or means nothing: empty, absolute, with `.` or `..` as a part, or with NUL.
 * A key like that comes from a broken log or a hostile name, never from us.
 */
export function requireKey(key: string): string {
  const bad = key === '' || key.includes('\0') || key.split('/').some((part) => part === '' || isDots(part));
  if (bad) throw new Error(`'${key}' is not a key: it must be relative, without empty parts, '.' or '..'`);
  return key;
}

/** A prefix may end in `/` and may be empty. */
export function requirePrefix(prefix: string): string {
  if (prefix !== '') requireKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
  return prefix;
}

/** Ascending order of UTF-8 bytes, which is that of S3; JavaScript's own order differs past U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

export function joinKey(prefix: string, key: string): string {
  return prefix === '' ? key : `${prefix}/${key}`;
}

function isDots(part: string): boolean {
  return part === '.' || part === '..';
}
