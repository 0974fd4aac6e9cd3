/** Sends what runs could not send (DESIGN law 11), and measures what is left and how long it has waited. */
import type { Cycle, ProbeAnswer } from '../../contracts/monitoring.js';
import { relayTables, watchedBy } from '../relay.js';
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
  let oldestMs = Infinity;
  let reason = '';
  for (const dataset of await deps.datasetNames()) {
    const relayed = await relayTables(deps, tables, await watchedBy(deps, { dataset }));
    sent += relayed.sent;
    // The records of runs belong to all datasets; each of them counts what is unsent.
    pending = Math.max(pending, relayed.pending);
    oldestMs = Math.min(oldestMs, relayed.oldestMs ?? Infinity);
    reason ||= relayed.problem ?? (relayed.pending > 0 ? 'the next cycle goes on' : '');
  }
  const lag = Number.isFinite(oldestMs) ? Math.max(0, (deps.clock.nowMs() - oldestMs) / 1000) : 0;
  const detail = reason.slice(0, 300);
  return handOver(deps.lake, 'relay', cycle.id, {
    started,
    detail: `${sent} sent, ${pending} pending`,
    measurements: [
      { metric: 'relay.sent', labels: {}, value: sent },
      { metric: 'relay.pending', labels: {}, value: pending, detail },
      {
        ...{ metric: 'relay.lag_seconds', labels: {}, value: lag },
        detail: pending > 0 ? `${pending} wait: ${detail}` : '',
      },
    ],
  });
}
