/**
 * The SQL function `median_and_mad(DOUBLE[])`: the middle of some numbers, and the middle of their distances from it. The
 * engine's own `median` of a list gathers it anew and compares through two calls a number: the two took twice the processor
 * time.
 */
import {
  DOUBLE,
  DuckDBDoubleVector,
  DuckDBListVector,
  DuckDBScalarFunction,
  DuckDBStructVector,
  LIST,
  STRUCT,
  type DuckDBConnection,
  type DuckDBVector,
} from '@duckdb/node-api';

/**
 * Makes the function known to a connection. It gives a STRUCT of `center` and `spread`, the very numbers that
 * `median(x)` and `mad(x)` give, of finite numbers none of which is NULL; of an empty list or NULL it gives NaN.
 */
export function addMedianAndMad(connection: DuckDBConnection): void {
  const definition = DuckDBScalarFunction.create({
    name: 'median_and_mad',
    parameterTypes: [LIST(DOUBLE)],
    returnType: STRUCT({ center: DOUBLE, spread: DOUBLE }),
    mainFunction: (_info, input, output) => {
      const lists = input.getColumnVector(0);
      if (!(lists instanceof DuckDBListVector) || !(output instanceof DuckDBStructVector))
        throw new TypeError('median_and_mad is given a list, and fills a struct');
      fill(lists, output);
    },
  });
  connection.registerScalarFunction(definition);
  definition.destroySync();
}

function fill(lists: DuckDBListVector, output: DuckDBStructVector): void {
  const values = numbersOf(lists.childVector);
  const [center, spread] = [output.entryVectorAt(0), output.entryVectorAt(1)];
  if (!(center instanceof DuckDBDoubleVector) || !(spread instanceof DuckDBDoubleVector))
    throw new TypeError('median_and_mad fills a struct of DOUBLE');
  let scratch = new Float64Array(SCRATCH);
  for (let row = 0; row < lists.itemCount; row++) {
    const from = lists.getEntryOffset(row);
    const count = Math.min(lists.getEntryLength(row), values.length - from);
    if (!(count > 0)) {
      center.setItem(row, NaN);
      spread.setItem(row, NaN);
      continue;
    }
    if (count > scratch.length) scratch = new Float64Array(2 * count);
    for (let index = 0; index < count; index++) scratch[index] = values[from + index] ?? NaN;
    const middle = medianInPlace(scratch, count);
    for (let index = 0; index < count; index++) scratch[index] = Math.abs((scratch[index] ?? NaN) - middle);
    center.setItem(row, middle);
    spread.setItem(row, medianInPlace(scratch, count));
  }
  center.flush();
  spread.flush();
}

/**
 * A vector's numbers as they lie in memory: asking for each by its own takes as long as all that is done with them. A driver
 * that keeps them otherwise is asked for each.
 */
export function numbersOf(vector: DuckDBVector): Float64Array {
  const numbers: unknown = Reflect.get(vector, 'items');
  if (numbers instanceof Float64Array) return numbers;
  return Float64Array.from({ length: vector.itemCount }, (_, index) => Number(vector.getItem(index) ?? NaN));
}

/** Numbers that most lists do not have more of. */
const SCRATCH = 256;

/**
 * The median of the first `count` (1 or more) finite numbers, which it puts in another order; of an even count the mean of
 * the middle two.
 */
export function medianInPlace(numbers: Float64Array, count: number): number {
  const middle = (count - 1) >> 1;
  const lower = select(numbers, count, middle);
  if (count % 2 === 1) return lower;
  let upper = Infinity;
  for (let index = middle + 1; index < count; index++) {
    const each = numbers[index] ?? NaN;
    if (each < upper) upper = each;
  }
  return lower * 0.5 + upper * 0.5;
}

/** The number that would stand at `wanted` if they were sorted. Those before are then no larger, those after no smaller. */
function select(numbers: Float64Array, count: number, wanted: number): number {
  let first = 0;
  let last = count - 1;
  while (first < last) {
    const pivot = middleOf(numbers[first] ?? NaN, numbers[(first + last) >> 1] ?? NaN, numbers[last] ?? NaN);
    let low = first;
    let high = last;
    while (low <= high) {
      while ((numbers[low] ?? NaN) < pivot) low++;
      while ((numbers[high] ?? NaN) > pivot) high--;
      if (low > high) break;
      const swapped = numbers[low] ?? NaN;
      numbers[low++] = numbers[high] ?? NaN;
      numbers[high--] = swapped;
    }
    if (wanted <= high) last = high;
    else if (wanted >= low) first = low;
    else break;
  }
  return numbers[wanted] ?? NaN;
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
