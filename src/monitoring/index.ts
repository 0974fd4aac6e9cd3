/** Whether the platform is well: rules (data) over measurements → findings. Pure. */
export { DEFAULT_RULES } from './default-rules.js';
export { activeRules, judge, type JudgedSample, type Sourced } from './judge.js';
