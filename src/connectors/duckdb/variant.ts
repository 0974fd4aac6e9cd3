/**
 * Columns of Delta's type `variant` as the engine's own VARIANT. Files that mark the column as one (Parquet's logical type
 * VARIANT, shredded or not) the engine reads by itself. Files of older Spark do not: there the column is a struct of two
 * binaries, `metadata` (the dictionary of names) and `value` (the encoded value), which the engine takes joined.
 */
import type { DataType } from '../../delta/schema.js';

/** What a file that does not mark its variants has in their place. */
export const VARIANT_BYTES = 'STRUCT("metadata" BLOB, "value" BLOB)';
const UNMARKED = `typeof($) IN ('STRUCT(metadata BLOB, "value" BLOB)', 'STRUCT("value" BLOB, metadata BLOB)')`;

/** Whether a value of the type has a variant in it. */
export function hasVariant(type: DataType): boolean {
  if (typeof type === 'string') return type === 'variant';
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => hasVariant(field.type));
    case 'array':
      return hasVariant(type.elementType);
    case 'map':
      return hasVariant(type.keyType) || hasVariant(type.valueType);
  }
}

/**
 * The file's expression as VARIANT, however the file has it. Of what is neither form, as a shredded variant that is not
 * marked, a part would get lost: the statement fails.
 */
export function variantSql(expression: string): string {
  const unmarked = UNMARKED.replace('$', expression);
  const bytes = `CAST(${expression}.metadata AS BLOB) || CAST(${expression}.value AS BLOB)`;
  const odd = `'a variant that is stored as ' || typeof(${expression}) || ' cannot be read'`;
  return (
    `CASE WHEN typeof(${expression}) = 'VARIANT' THEN CAST(${expression} AS VARIANT) ` +
    `WHEN ${unmarked} THEN variant_bytes_to_variant(${bytes}) ` +
    `WHEN ${expression} IS NULL THEN NULL ELSE error(${odd}) END`
  );
}
