/** Z85 (ZeroMQ RFC 32): four bytes in five printable characters. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const DIGITS = new Map([...ALPHABET].map((character, digit) => [character, digit]));

/** Throws on a length that is no multiple of five or a foreign character. */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw new Error(`${text.length} characters are no whole z85 text`);
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < text.length / 5; group += 1) {
    let value = 0;
    for (const character of text.slice(group * 5, group * 5 + 5)) {
      const digit = DIGITS.get(character);
      if (digit === undefined) throw new Error(`'${character}' is no z85 character`);
      value = value * 85 + digit;
    }
    if (value > 0xffffffff) throw new Error('a z85 group is too large');
    view.setUint32(group * 4, value);
  }
  return bytes;
}
