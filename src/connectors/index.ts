/** Stores and the engine for `datalab/delta`: `import { createDuckDbEngine, openObjectStore } from 'datalab/connectors'`. */
export { createDuckDbEngine, type DuckDbOptions } from './duckdb/engine.js';
export {
  LocalObjectStore,
  MemoryObjectStore,
  openObjectStore,
  type ObjectStoreOptions,
  type S3Options,
} from './object-store/index.js';
export { createRowParquet } from './parquet-rows.js';
