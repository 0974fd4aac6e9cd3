/** What a column is called inside the files and the log. */
import type { Metadata, Protocol } from './actions.js';
import { columnMappingMode } from './protocol.js';
import type { StructField } from './schema.js';

const PHYSICAL_NAME = 'delta.columnMapping.physicalName';

/** The name that files, statistics and partition values know a column by. */
export function physicalName(
  { protocol, metadata }: { readonly protocol: Protocol; readonly metadata: Metadata },
  field: StructField,
): string {
  if (columnMappingMode(protocol, metadata.configuration) === 'none') return field.name;
  const name = field.metadata[PHYSICAL_NAME];
  return typeof name === 'string' ? name : field.name;
}
