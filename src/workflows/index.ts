/** The entry of the workflow bundle: every workflow type, by name. */
export { medallionEtl, progressQuery } from './medallion-etl.js';
export { tableMaintenance } from './table-maintenance.js';
export { platformMonitoring } from './platform-monitoring.js';
export { alertManager } from './alert-manager.js';
