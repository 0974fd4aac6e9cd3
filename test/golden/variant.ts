/**
 * The binary encoding of Parquet's Variant, as far as the golden answers have it; written from its specification, so that
 * the engine's own reading is held against something. A value is a byte of kind and header, then its content:
 * kind 0 a primitive (header 0: NULL, 1 and 2: true and false, 3: one byte, 4: two, 5: four, 6: eight), kind 1 a text of as many
 * bytes as the header says, kind 2 an object: count, ids of its names, offsets of its values, the values. Names are in the
 * metadata: a header, their number, their offsets, their bytes. Counts, ids and offsets have one byte each here.
 */

/** Throws for what no golden answer has. */
export function variantOf(metadata: Buffer, value: Buffer): unknown {
  const names = metadata[1] ?? 0;
  const start = 3 + names;
  const nameOf = (id: number): string =>
    metadata.toString('utf8', start + (metadata[2 + id] ?? 0), start + (metadata[3 + id] ?? 0));
  return valueAt(value, nameOf);
}

function valueAt(bytes: Buffer, nameOf: (id: number) => string): unknown {
  const [kind, header] = [(bytes[0] ?? 0) & 3, (bytes[0] ?? 0) >> 2];
  if (kind === 1) return bytes.toString('utf8', 1, 1 + header);
  if (kind === 2 && header === 0) {
    const count = bytes[1] ?? 0;
    const offsets = 2 + count;
    const values = offsets + count + 1;
    const members = Array.from({ length: count }, (_, index): [string, unknown] => [
      nameOf(bytes[2 + index] ?? 0),
      valueAt(bytes.subarray(values + (bytes[offsets + index] ?? 0)), nameOf),
    ]);
    return Object.fromEntries(members);
  }
  if (kind !== 0 || header > 6) throw new Error(`no golden answer had a variant of kind ${kind}, ${header}`);
  if (header < 3) return [null, true, false][header];
  return header === 6 ? Number(bytes.readBigInt64LE(1)) : bytes.readIntLE(1, 2 ** (header - 3));
}
