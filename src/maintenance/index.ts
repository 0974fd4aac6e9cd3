/** Planning of maintenance: measured facts → what is needed, why, and in which order. Pure. */
export { backupsToKeep } from './backups.js';
export { planTable, THRESHOLDS } from './plan.js';
export { retentionOf, type RetentionPolicies, type RetentionPolicy } from './retention.js';
