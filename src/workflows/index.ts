/** The entry of the workflow bundle: every workflow type, by name. */
export { medallionEtl, progressQuery } from './medallion-etl.js';
export { tableMaintenance } from './table-maintenance.js';
