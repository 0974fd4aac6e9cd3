/** The entry of the workflow bundle: every workflow type, by name. */
export { medallionEtl } from './medallion-etl.js';
export { progressQuery } from './medallion-run.js';
export { quarantineReplay } from './quarantine-replay.js';
export { scheduleBackfill } from './schedule-backfill.js';
export { tableMaintenance } from './table-maintenance.js';
export { platformMonitoring } from './platform-monitoring.js';
export { mlopsTraining } from './mlops-training.js';
export { modelWatch } from './model-watch.js';
export { modelDeployment } from './model-deployment.js';
export { alertManager } from './alert-manager.js';
export { lakeMaintenance } from './lake-maintenance.js';
export { lakeBackup } from './lake-backup.js';
