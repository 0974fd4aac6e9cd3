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
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Halves of characters past U+FFFF come after all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

export function joinKey(prefix: string, key: string): string {
  return prefix === '' ? key : `${prefix}/${key}`;
}

function isDots(part: string): boolean {
  return part === '.' || part === '..';
}
