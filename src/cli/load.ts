/** The part of the command line that a call needs: a command begins in half the time where the others are not loaded. */
import type { Command } from 'commander';
import { rootProgram } from './root.js';

/** By the first word of a command line, also the other name of a group. */
export const GROUPS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  alerts: async () => (await import('./commands/alerts.js')).addAlerts,
  dashboard: async () => (await import('./commands/dashboard.js')).addDashboard,
  backup: async () => (await import('./commands/backup.js')).addBackup,
  datasets: async () => (await import('./commands/datasets.js')).addDatasets,
  demo: async () => (await import('./commands/demo.js')).addDemo,
  doctor: async () => (await import('./commands/doctor.js')).addDoctor,
  flows: async () => (await import('./commands/flows.js')).addFlows,
  maintenance: async () => (await import('./commands/maintenance.js')).addMaintenance,
  'model-server': async () => (await import('./commands/model-server.js')).addModelServer,
  models: async () => (await import('./commands/models.js')).addModels,
  monitoring: async () => (await import('./commands/monitoring.js')).addMonitoring,
  quarantine: async () => (await import('./commands/quarantine.js')).addQuarantine,
  runs: async () => (await import('./commands/runs.js')).addRuns,
  deployments: async () => (await import('./commands/schedules.js')).addSchedules,
  schedules: async () => (await import('./commands/schedules.js')).addSchedules,
  tables: async () => (await import('./commands/tables.js')).addTables,
};

/** What takes these words. Help, and what is no command, needs the whole of it. */
export async function loadProgram([first = '']: readonly string[]): Promise<Command> {
  const group = Object.hasOwn(GROUPS, first) ? GROUPS[first] : undefined;
  if (!group) return (await import('./program.js')).buildProgram();
  const program = rootProgram();
  (await group())(program);
  return program;
}
