/** The query of maintenance: the summary so far. */
import { defineQuery } from '@temporalio/workflow';
import { PROGRESS_QUERY } from '../contracts/flows.js';
import type { LakeMaintenanceSummary } from '../contracts/lake-maintenance.js';

export const maintenanceQuery = defineQuery<LakeMaintenanceSummary>(PROGRESS_QUERY);
