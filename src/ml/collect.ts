/** Rows of the feature SELECT → typed arrays, or a clear refusal of data that nothing can be learned from. */
import { DatalabError } from '../contracts/errors.js';
import { baselineName, featureNames, type ModelDefinition } from '../contracts/model.js';
import type { ColumnBatch } from '../delta/index.js';
import { Growing } from './growing.js';
import type { FeatureRows } from './matrix.js';
import { refuseTooLarge } from './memory.js';

export interface Collected {
  readonly data: FeatureRows;
  /** Rows of the table, and those left out: without a target, or with a NULL feature where those are dropped. */
  readonly read: number;
  readonly withoutTarget: number;
  readonly incomplete: number;
}

/**
 * Takes the columns in the order of {@link featureSelect}. Throws MODEL_VALUES_NOT_FINITE, MODEL_ROWS_TOO_FEW,
 * MODEL_TARGET_CONSTANT, and MODEL_MEMORY_EXCEEDED as soon as there are more rows than a training may hold.
 */
export async function collectRows(
  model: ModelDefinition,
  batches: AsyncIterable<ColumnBatch>,
  memoryMb: number,
): Promise<Collected> {
  const names = featureNames(model.features);
  const baselines = model.baselines
    .filter(({ kind }) => kind === 'last_value' || kind === 'rolling_mean')
    .map(baselineName);
  const width = names.length;
  const x = new Growing((size) => new Float32Array(size));
  const [y, time, targetTime] = [doubles(), doubles(), doubles()];
  const keys: string[] = [];
  const naive = baselines.map(doubles);
  const counts = { read: 0, withoutTarget: 0, incomplete: 0 };
  for await (const { rows, columns } of batches) {
    const cell = (column: number, row: number): unknown => columns[column]?.[row];
    const targetAt = 2 + width + baselines.length;
    for (let row = 0; row < rows; row += 1) {
      counts.read += 1;
      const values = names.map((_, index) => number(cell(2 + index, row)));
      const infinite = values.findIndex((value) => value === Infinity || value === -Infinity);
      if (infinite !== -1) throw notFinite(model, names[infinite] ?? '', cell(0, row));
      const isIncomplete = values.some(Number.isNaN);
      const nan = names.findIndex((_, index) => Number.isNaN(cell(2 + index, row)));
      // A NULL is a value that is not there yet; a NaN is one that was computed wrongly.
      if (nan !== -1) throw notFinite(model, names[nan] ?? '', cell(0, row));
      const target = cell(targetAt, row);
      if (target === null || target === undefined) counts.withoutTarget += 1;
      else if (!Number.isFinite(target)) throw notFinite(model, 'target', cell(0, row));
      else if (isIncomplete && model.missing === 'drop') counts.incomplete += 1;
      else {
        x.push(...values);
        y.push(target as number);
        time.push(number(cell(1, row)));
        targetTime.push(number(cell(targetAt + 1, row)));
        keys.push(String(cell(0, row)));
        naive.forEach((list, index) => list.push(number(cell(2 + width + index, row))));
      }
    }
    refuseTooLarge(model, keys.length, memoryMb);
  }
  refuse(model, y.values, counts);
  return {
    ...counts,
    data: {
      ...{ names, rows: keys.length, x: x.values, y: y.values, keys },
      ...{ time: time.values, targetTime: targetTime.values },
      baselines: Object.fromEntries(
        baselines.map((name, index) => [name, (naive[index] ?? doubles()).values]),
      ),
    },
  };
}

const doubles = (): Growing<Float64Array> => new Growing((size) => new Float64Array(size));

function refuse(model: ModelDefinition, y: Float64Array, counts: Omit<Collected, 'data'>): void {
  if (y.length < model.splits.minRows) {
    throw new DatalabError(
      'MODEL_ROWS_TOO_FEW',
      `model '${model.name}': ${y.length} rows to learn from, at least ${model.splits.minRows} wanted; of ${counts.read} rows ` +
        `${counts.withoutTarget} have no target yet and ${counts.incomplete} lack a feature`,
    );
  }
  const { classes } = model.target;
  if (classes && y.some((value) => value < 0))
    throw new DatalabError(
      'MODEL_CLASS_UNKNOWN',
      `model '${model.name}': the target says something else than ${classes.join(', ')}`,
    );
  const [first] = y;
  if (y.every((value) => value === first))
    throw new DatalabError(
      'MODEL_TARGET_CONSTANT',
      `model '${model.name}': the target is ${model.target.classes?.[first ?? -1] ?? first} in all ${y.length} rows`,
    );
  if (model.target.kind === 'binary' && y.some((value) => value !== 0 && value !== 1))
    throw new DatalabError(
      'MODEL_VALUES_NOT_FINITE',
      `model '${model.name}': a binary target is 0 or 1, here it is something else`,
    );
}

function number(value: unknown): number {
  return value === null || value === undefined ? NaN : Number(value);
}

function notFinite(model: ModelDefinition, column: string, key: unknown): DatalabError {
  return new DatalabError(
    'MODEL_VALUES_NOT_FINITE',
    `model '${model.name}': '${column}' is infinite or not a number in a row of ${String(key)}`,
  );
}
