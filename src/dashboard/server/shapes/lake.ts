/** What is told of the lake and its tables. */
import { z } from 'zod';
import { list, page } from './common.js';

export const tableInfo = z.object({
  name: z.string(),
  version: z.number(),
  rows: z.number().nullable(),
  files: z.number(),
  bytes: z.number(),
  changedAt: z.string(),
});
export const tablePage = page(tableInfo);

export const lakeNow = z.object({
  layers: list(
    z.object({ layer: z.string(), tables: z.number(), rows: z.number().nullable(), bytes: z.number() }),
  ),
  total: z.number(),
  /** Of the newest commit in the lake. */
  changedAt: z.string().nullable(),
  /** Tables that cannot be read. */
  problems: list(z.string()),
});
export type LakeNow = z.infer<typeof lakeNow>;

export const tableDetail = tableInfo.extend({
  uri: z.string(),
  id: z.string(),
  columns: list(
    z.object({ name: z.string(), type: z.string(), nullable: z.boolean(), comment: z.string().nullable() }),
  ),
  partitionColumns: list(z.string()),
  properties: z.record(z.string(), z.string()),
  protocol: z.object({ reader: z.number(), writer: z.number() }),
});

export const tableVersions = z.object({
  versions: list(
    z.object({
      version: z.number(),
      at: z.string().nullable(),
      operation: z.string(),
      metrics: z.record(z.string(), z.unknown()),
      runId: z.string().nullable(),
      /** What DataLab wrote into the commit. */
      note: z.unknown(),
    }),
  ),
});

const column = z.object({ name: z.string(), type: z.string() });
/** Cells are what JSON can say; integers that JavaScript cannot hold are texts. */
const cells = list(list(z.unknown()));
export const queryResult = z.object({
  columns: list(column),
  rows: cells,
  truncated: z.boolean(),
  tables: list(z.object({ name: z.string(), version: z.number() })),
});
const side = z.object({
  total: z.number(),
  sample: z.object({ columns: list(column), rows: cells }),
});
export const versionDiff = z.object({
  table: z.string(),
  from: z.number(),
  to: z.number(),
  lost: side,
  gained: side,
});

export const tableProfile = z.object({
  table: z.string(),
  version: z.number(),
  rows: z.number(),
  complete: z.boolean(),
  columns: list(
    z.object({
      name: z.string(),
      type: z.string(),
      nulls: z.number(),
      distinct: z.number(),
      min: z.string().nullable(),
      max: z.string().nullable(),
      /** Numbers and times: rows between two values. Others: the most frequent values. */
      histogram: list(z.object({ from: z.string(), to: z.string().nullable(), rows: z.number() })),
    }),
  ),
});

export const tableFiles = z.object({
  total: z.number(),
  /** Files by size. */
  sizes: list(z.object({ upTo: z.number().nullable(), files: z.number(), bytes: z.number() })),
  small: z.object({ files: z.number(), bytes: z.number(), belowMb: z.number() }),
  rows: list(
    z.object({
      path: z.string(),
      bytes: z.number(),
      rows: z.number().nullable(),
      deletedRows: z.number(),
      modifiedAt: z.string(),
      partition: z.record(z.string(), z.string().nullable()),
    }),
  ),
});
export type TableFiles = z.infer<typeof tableFiles>;

export const tablePartitions = z.object({
  columns: list(z.string()),
  total: z.number(),
  rows: list(
    z.object({
      values: z.record(z.string(), z.string().nullable()),
      files: z.number(),
      bytes: z.number(),
      rows: z.number().nullable(),
      changedAt: z.string(),
    }),
  ),
});
export type TablePartitions = z.infer<typeof tablePartitions>;

export const lineageGraph = z.object({
  datasets: list(z.string()),
  total: z.number(),
  nodes: list(
    z.object({
      id: z.string(),
      kind: z.enum(['source', 'table', 'model', 'report']),
      rows: z.number().nullable(),
      changedAt: z.string().nullable(),
      href: z.string().nullable(),
    }),
  ),
  edges: list(z.object({ from: z.string(), to: z.string() })),
  problems: list(z.string()),
});
export type LineageGraph = z.infer<typeof lineageGraph>;
