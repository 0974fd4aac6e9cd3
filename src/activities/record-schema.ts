/** Schemas of DataLab's own records: columns by name, all of them nullable. */
import type { DataType, StructType } from '../delta/index.js';

export function recordSchema(columns: Readonly<Record<string, DataType>>): StructType {
  const fields = Object.entries(columns).map(([name, type]) => ({
    name,
    type,
    nullable: true,
    metadata: {},
  }));
  return { type: 'struct', fields };
}
