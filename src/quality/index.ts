/** Whether data is good: rule (data) → SQL (pure) → verdict. */
export { checkSql, type Measured } from './measure.js';
export { judge, scoreOf, WEIGHTS, type JudgeContext } from './judge.js';
