/**
 * Bytes as the text of a partition value. Spark writes and reads the characters that the bytes are in UTF-8, and delta-rs
 * reads them so. What delta-rs writes is an escape for each byte (`\u00FF`, six characters), which none of them reads
 * back; here it stands for the bytes that it was written for.
 */
const ESCAPED = /^(?:\\u00[0-9A-Fa-f]{2})+$/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function isEscaped(text: string | null): boolean {
  return text !== null && ESCAPED.test(text);
}

export function bytesOfText(text: string): Buffer {
  return isEscaped(text) ? Buffer.from(text.replaceAll('\\u00', ''), 'hex') : Buffer.from(text, 'utf8');
}

/** Undefined where no text is read as these bytes by everybody: they are no UTF-8, or they are such escapes themselves. */
export function textOfBytes(bytes: Uint8Array): string | undefined {
  try {
    const text = UTF8.decode(bytes);
    return isEscaped(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
