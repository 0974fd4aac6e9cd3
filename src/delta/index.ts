/** The Delta Lake layer: `import { DeltaTable } from 'datalab/delta'`. */
export type {
  Action,
  AddFile,
  CommitInfo,
  DeletionVector,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  Transaction,
} from './actions.js';
export { arrowSchema, recordBatch } from './arrow.js';
export type { CommitRequest, CommitResult, DeltaTableApi, ReadScope, Snapshot, TableHandle } from './api.js';
export type { ConflictCheckName } from './conflict.js';
export { changeTableActions, createTableActions, type CreateTableOptions } from './create.js';
export { loadDeletedRows, vectorPath } from './deletion-vector.js';
export { systemDeps, type DeltaDeps } from './deps.js';
export { DELTA_ERRORS, DeltaError, type DeltaErrorCode } from './errors.js';
export type { LiveFiles } from './files/live-files.js';
export { mapLimited } from './limit.js';
export type { AppendOptions, CreateOptions } from './operations/append.js';
export type { CleanLogOptions, CleanLogReport } from './operations/clean-log.js';
export type { DeleteOptions } from './operations/delete.js';
export type { Assignments, MatchedClause, MergeOptions, NotMatchedClause } from './operations/merge.js';
export type { FsckFinding, FsckOptions, FsckReport } from './operations/fsck.js';
export { packable, type OptimizeOptions, type OptimizeReport } from './operations/optimize.js';
export type { OverwriteOptions } from './operations/overwrite.js';
export type { ReadOptions } from './operations/read.js';
export type { RestoreOptions } from './operations/restore.js';
export type { OperationOptions, OperationReport } from './operations/run.js';
export type { UpdateOptions } from './operations/update.js';
export type { VacuumOptions, VacuumReport } from './operations/vacuum.js';
export type { MaintenanceOptions, Progress } from './progress.js';
export { tableObjects, type TableObject, type TableObjects } from './operations/table-objects.js';
export { needsCheckpoint, type CheckpointReport } from './operations/checkpoint.js';
export { overwriteActions, removeOf } from './overwrite.js';
export { partitionKeyOf, sharedValues } from './partition-key.js';
export { partitionValue } from './partition-values.js';
export { keyOfPath } from './path.js';
export { physicalName } from './physical-name.js';
export {
  ObjectNotFoundError,
  type Clock,
  type ColumnBatch,
  type ColumnTextStats,
  type EncodedRows,
  type Engine,
  type EngineSession,
  type LocalFiles,
  type ObjectInfo,
  type PutFileOptions,
  type ObjectStore,
  type RowParquet,
  type RowValue,
  type ScanFile,
  type ScanPlan,
  type SessionOptions,
  type WrittenFile,
} from './ports.js';
export { prune, type Pruned } from './prune.js';
export { appendRows, widenSchema, type AppendRowsOptions, type AppendRowsResult, type Row } from './rows.js';
export { checkoutScan, scanPlan, type CheckedOutScan, type DeletedRows, type ScanSource } from './scan.js';
export { decimalOf, parseSchema, serialiseSchema } from './schema-json.js';
export type { ArrayType, DataType, MapType, PrimitiveType, StructField, StructType } from './schema.js';
export { tableProperties, type TableProperties } from './table-properties.js';
export {
  addOf,
  stageBytes,
  stageFile,
  uploadFile,
  verifyStaged,
  type StageOptions,
  type UploadedFile,
} from './stage.js';
export type { DataRow, DataSource, DataValue } from './source.js';
export { statsJson } from './stats.js';
export { DeltaTable } from './table.js';
