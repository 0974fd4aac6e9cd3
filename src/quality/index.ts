/** Whether data is good: rule (data) → SQL (pure) → verdict. */
export { badRowExamples, EXAMPLES_MAX } from './examples.js';
export { judge, scoreOf, WEIGHTS, type JudgeContext } from './judge.js';
export { measure, type Measurement, type Queries } from './measure.js';
export { median } from './median.js';
export { isRowCheck, quarantineRule } from './predicate.js';
