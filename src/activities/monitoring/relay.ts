/** Sends what runs could not send (DESIGN law 11), and measures what is left. */
import type { Cycle, ProbeAnswer } from '../../contracts/monitoring.js';
import { relayEvents } from '../relay.js';
import type { LakeTables } from '../tables.js';
import type { MonitoringDeps } from './deps.js';
import { handOver } from './memory.js';

export async function relayAll(deps: MonitoringDeps, tables: LakeTables, cycle: Cycle): Promise<ProbeAnswer> {
  const started = performance.now();
  if (!deps.events)
    return handOver(deps.lake, 'relay', cycle.id, {
      started,
      detail: 'Kafka is switched off',
      measurements: [],
    });
  let sent = 0;
  let pending = 0;
  let reason = '';
  for (const dataset of await deps.datasetNames()) {
    const relayed = await relayEvents(deps, tables, {
      runId: cycle.id,
      executionId: cycle.id,
      workflowId: cycle.id,
      dataset,
      logicalTime: cycle.at,
    });
    sent += relayed.sent;
    // The records of runs belong to all datasets; each of them counts what is unsent.
    pending = Math.max(pending, relayed.pending);
    reason ||= relayed.detail;
  }
  return handOver(deps.lake, 'relay', cycle.id, {
    started,
    detail: `${sent} sent, ${pending} pending`,
    measurements: [
      { metric: 'relay.sent', labels: {}, value: sent },
      { metric: 'relay.pending', labels: {}, value: pending, detail: reason.slice(0, 300) },
    ],
  });
}
