/** What features take of memory at the least, so that rows that cannot be trained on are refused before anything is spent on them. */
import { DatalabError } from '../contracts/errors.js';
import { featureNames, type ModelDefinition } from '../contracts/model.js';

/** Each is there thrice at once: the file, the matrix made of it, the part of it that is trained on. Measured is 4.6 times and more (docs/benchmarks.md). */
const COPIES = 3;
/** Times, target and key of a row. */
const ROW_BYTES = 64;
const VALUE_BYTES = 4;

/** MiB below which no training of so many rows ends. */
export function leastMemoryMb(rows: number, columns: number): number {
  return (COPIES * rows * (ROW_BYTES + columns * VALUE_BYTES)) / 2 ** 20;
}

/** Throws MODEL_MEMORY_EXCEEDED where the rows alone take more than a training may. */
export function refuseTooLarge(model: ModelDefinition, rows: number, memoryMb: number): void {
  const columns = featureNames(model.features).length;
  const least = leastMemoryMb(rows, columns);
  if (least <= memoryMb) return;
  throw new DatalabError(
    'MODEL_MEMORY_EXCEEDED',
    `model '${model.name}': ${rows} rows of gold.${model.table} with ${columns} features take at least ${Math.ceil(least)} MiB, ` +
      `and a training of this worker may take ${memoryMb} MiB`,
  );
}
