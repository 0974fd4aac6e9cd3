/** Which answers a condition may give over the rows of one file: the soundness of data skipping lies here. */
import { comparableLiteral, compareValues, type Comparable } from './comparable.js';
import type { ColumnName, Comparison, Condition, Literal } from './parse.js';
import type { DataType } from '../schema.js';

/** What is known of a column's values in one file. Bounds are bounds: they need not be values. */
export interface ColumnFacts {
  readonly type: DataType;
  readonly min?: Comparable | undefined;
  readonly max?: Comparable | undefined;
  /** Whether there may be NULLs, and whether there may be anything else. */
  readonly mayBeNull: boolean;
  readonly mayBeValue: boolean;
}

/** The facts of a column of the scanned table; undefined where nothing is known or the column is of another table. */
export type FactsOf = (column: ColumnName) => ColumnFacts | undefined;

/** Whether some row may make the condition TRUE, FALSE, NULL. */
export interface Possible {
  readonly isTrue: boolean;
  readonly isFalse: boolean;
  readonly isNull: boolean;
}

const ANYTHING: Possible = { isTrue: true, isFalse: true, isNull: true };

/** Never says that an answer is impossible which some row of the file gives. */
export function possible(condition: Condition, factsOf: FactsOf): Possible {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map((part) => possible(part, factsOf));
      return {
        isTrue: parts.every(({ isTrue }) => isTrue),
        isFalse: parts.some(({ isFalse }) => isFalse),
        isNull: parts.some(({ isNull }) => isNull),
      };
    }
    case 'or': {
      const parts = condition.parts.map((part) => possible(part, factsOf));
      return {
        isTrue: parts.some(({ isTrue }) => isTrue),
        isFalse: parts.every(({ isFalse }) => isFalse),
        isNull: parts.some(({ isNull }) => isNull),
      };
    }
    case 'not': {
      const { isTrue, isFalse, isNull } = possible(condition.part, factsOf);
      return { isTrue: isFalse, isFalse: isTrue, isNull };
    }
    case 'constant':
      return { isTrue: condition.value, isFalse: !condition.value, isNull: false };
    case 'isNull': {
      const facts = factsOf(condition.column);
      return facts ? { isTrue: facts.mayBeNull, isFalse: facts.mayBeValue, isNull: false } : ANYTHING;
    }
    case 'compare':
      return comparison(factsOf(condition.column), condition.op, condition.value);
    case 'columns':
    case 'unknown':
      return ANYTHING;
  }
}

function comparison(facts: ColumnFacts | undefined, op: Comparison, literal: Literal): Possible {
  if (!facts) return ANYTHING;
  const value = comparableLiteral(facts.type, literal);
  if (!value) return ANYTHING;
  return compareFacts(facts, op, value);
}

/** A comparison of the column with a value of its own type. */
export function compareFacts(facts: ColumnFacts, op: Comparison, value: Comparable): Possible {
  const low = facts.min && compareValues(facts.min, value);
  // A NaN is greater than every number, and some writers leave it out of the max.
  const high = facts.type === 'double' ? undefined : facts.max && compareValues(facts.max, value);
  const highIfNumber = facts.max && compareValues(facts.max, value);
  const mayBeLess = low === undefined || low < 0;
  const mayBeGreater = high === undefined || high > 0;
  const mayBeEqual = (low === undefined || low <= 0) && (highIfNumber === undefined || highIfNumber >= 0);
  const answers: Readonly<Record<Comparison, readonly [boolean, boolean]>> = {
    '=': [mayBeEqual, mayBeLess || mayBeGreater],
    '<>': [mayBeLess || mayBeGreater, mayBeEqual],
    '<': [mayBeLess, mayBeEqual || mayBeGreater],
    '<=': [mayBeLess || mayBeEqual, mayBeGreater],
    '>': [mayBeGreater, mayBeLess || mayBeEqual],
    '>=': [mayBeGreater || mayBeEqual, mayBeLess],
  };
  const [isTrue, isFalse] = answers[op];
  return {
    isTrue: isTrue && facts.mayBeValue,
    isFalse: isFalse && facts.mayBeValue,
    isNull: facts.mayBeNull,
  };
}
