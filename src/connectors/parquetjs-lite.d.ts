/** The part of parquetjs-lite that we use; the package brings no types. */
declare module 'parquetjs-lite' {
  import type { Writable } from 'node:stream';

  interface FieldDefinition {
    readonly type: string;
    readonly optional?: boolean;
    readonly compression?: 'UNCOMPRESSED' | 'GZIP' | 'SNAPPY';
    readonly statistics?: boolean;
  }

  class ParquetSchema {
    constructor(fields: Readonly<Record<string, FieldDefinition>>);
  }

  interface ParquetWriter {
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }

  const parquet: {
    ParquetSchema: typeof ParquetSchema;
    ParquetWriter: {
      openStream(
        schema: ParquetSchema,
        stream: Writable,
        options?: { readonly useDataPageV2?: boolean; readonly pageIndex?: boolean },
      ): Promise<ParquetWriter>;
    };
  };
  export default parquet;
}
