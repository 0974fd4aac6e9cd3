/** Ports of the monitoring activities over a lab's lake, where nothing is wrong unless a test says so. */
import type { MonitoringDeps } from '../../src/activities/monitoring/index.js';
import type { ActivityDeps } from '../../src/activities/deps.js';

export function monitoringDeps(base: ActivityDeps, more: Partial<MonitoringDeps> = {}): MonitoringDeps {
  return {
    ...base,
    datasetNames: () => Promise.resolve([]),
    measureKafka: null,
    services: [],
    ask: () => Promise.resolve([]),
    measurePools: () => Promise.resolve([]),
    overview: () => Promise.resolve(null),
    schedules: [],
    slots: () => Promise.resolve(null),
    rowsOfRun: () => Promise.resolve(null),
    pauseSchedule: () => Promise.resolve(),
    report: () => Promise.resolve(),
    channels: [],
    heartbeat: null,
    ...more,
  };
}
