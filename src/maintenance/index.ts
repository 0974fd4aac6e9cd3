/** Planning of maintenance: measured facts → what is needed, why, and in which order. Pure. */
export { adviceOn, type Advised } from './advice.js';
export { backupsToKeep } from './backups.js';
export { planTable, THRESHOLDS, type PlanOptions } from './plan.js';
export { retentionOf, type RetentionPolicies, type RetentionPolicy } from './retention.js';
