/** The whole command line as one tree, without running anything: help and docs are made from it. */
import type { Command } from 'commander';
import { addAlerts } from './commands/alerts.js';
import { addDashboard } from './commands/dashboard.js';
import { addBackup } from './commands/backup.js';
import { addDatasets } from './commands/datasets.js';
import { addDemo } from './commands/demo.js';
import { addDoctor } from './commands/doctor.js';
import { addFlows } from './commands/flows.js';
import { addMaintenance } from './commands/maintenance.js';
import { addModelServer } from './commands/model-server.js';
import { addModels } from './commands/models.js';
import { addMonitoring } from './commands/monitoring.js';
import { addQuarantine } from './commands/quarantine.js';
import { addRuns } from './commands/runs.js';
import { addSchedules } from './commands/schedules.js';
import { addTables } from './commands/tables.js';
import { rootProgram } from './root.js';

export function buildProgram(): Command {
  const program = rootProgram();
  addAlerts(program);
  addDashboard(program);
  addBackup(program);
  addDatasets(program);
  addDemo(program);
  addDoctor(program);
  addFlows(program);
  addMaintenance(program);
  addModelServer(program);
  addModels(program);
  addMonitoring(program);
  addQuarantine(program);
  addRuns(program);
  addSchedules(program);
  addTables(program);
  return program;
}
