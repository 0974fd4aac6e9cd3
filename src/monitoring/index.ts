/** Whether the platform is well: rules (data) over measurements → findings. Pure. */
export { DEFAULT_RULES } from './default-rules.js';
export { freshnessOf, type DatasetTables, type Published } from './freshness.js';
export { judge, type JudgedSample, type Sourced } from './judge.js';
export {
  activeRules,
  knownRules,
  NO_OVERRIDES,
  overridesBytes,
  parseOverrides,
  type KnownRule,
} from './rules.js';
