/** What `COPY … (RETURN_STATS)` says of the one file that it wrote. */
import type { ColumnTextStats, WrittenFile } from '../../delta/ports.js';

interface StatEntry {
  readonly key: string;
  readonly value: ReadonlyArray<{ readonly key: string; readonly value: string }>;
}

/** A row of RETURN_STATS after {@link plainObject}. */
export interface CopyRow {
  readonly filename: string;
  readonly count: bigint;
  readonly file_size_bytes: bigint;
  readonly column_statistics: readonly StatEntry[];
}

/** The statistics row as a WrittenFile. Members of nested columns (`"a"."b"`) are left out. */
export function writtenFile(row: CopyRow, localPath: string): WrittenFile {
  const columns: Record<string, ColumnTextStats> = {};
  for (const { key, value } of row.column_statistics) {
    const name = topLevelName(key);
    if (name === undefined) continue;
    const facts = new Map(value.map((fact) => [fact.key, fact.value]));
    const nulls = facts.get('null_count');
    const nan = facts.get('has_nan');
    columns[name] = {
      ...(facts.has('min') ? { min: facts.get('min') as string } : {}),
      ...(facts.has('max') ? { max: facts.get('max') as string } : {}),
      ...(nulls === undefined ? {} : { nullCount: Number(nulls) }),
      ...(nan === undefined ? {} : { hasNan: nan === 'true' }),
    };
  }
  return { localPath, sizeBytes: Number(row.file_size_bytes), rows: Number(row.count), columns };
}

/** `"a""b"` is the column `a"b`; `"a"."b"` is a member of a nested column and has no name here. */
function topLevelName(key: string): string | undefined {
  const quoted = /^"((?:[^"]|"")*)"$/.exec(key);
  return quoted?.[1]?.replaceAll('""', '"');
}
