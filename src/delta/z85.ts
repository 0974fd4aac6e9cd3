/** Z85 (ZeroMQ RFC 32): four bytes in five printable characters. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const DIGITS = new Map([...ALPHABET].map((character, digit) => [character, digit]));

/**
 * Throws on a length that is no multiple of five or a foreign character. A last group that starts with `#` stands for
 * fewer than four bytes, one less for each `#`: the Rust writers pad so. It cannot be mistaken, since a whole group that
 * starts with the largest digit would not fit into four bytes.
 */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw new Error(`${text.length} characters are no whole z85 text`);
  const groups = text.match(/.{5}/gs) ?? [];
  const padding = /^#*/.exec(groups.at(-1) ?? '')?.[0].length ?? 0;
  const bytes = new Uint8Array(groups.length * 4);
  const view = new DataView(bytes.buffer);
  groups.forEach((group, index) => {
    const padded = index === groups.length - 1 ? padding : 0;
    // What stands before the padding are the low bytes: they are moved up to follow the earlier groups.
    view.setUint32(index * 4, groupValue(group.slice(padded)) * 256 ** padded);
  });
  return bytes.subarray(0, bytes.length - padding);
}

function groupValue(digits: string): number {
  let value = 0;
  for (const character of digits) {
    const digit = DIGITS.get(character);
    if (digit === undefined) throw new Error(`'${character}' is no z85 character`);
    value = value * 85 + digit;
  }
  if (value > 0xffffffff) throw new Error('a z85 group is too large');
  return value;
}
