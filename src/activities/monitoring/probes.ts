/** The probes of Kafka and of the services. */
import type { Cycle, Measurement, ProbeAnswer } from '../../contracts/monitoring.js';
import type { KafkaMemory } from '../../contracts/probe-memory.js';
import type { MonitoringDeps } from './deps.js';
import { measureChannels } from './channels.js';
import { handOver, recall, remember } from './memory.js';

export async function probeKafka(deps: MonitoringDeps, cycle: Cycle): Promise<ProbeAnswer> {
  const started = performance.now();
  if (!deps.measureKafka)
    return handOver(deps.lake, 'kafka', cycle.id, { started, detail: 'switched off', measurements: [] });
  const before = await recall<KafkaMemory>(deps.lake, 'kafka');
  const { detail, measurements, memory } = await deps.measureKafka(before, deps.clock.nowMs());
  await remember(deps.lake, 'kafka', memory);
  return handOver(deps.lake, 'kafka', cycle.id, { started, detail, measurements });
}

export async function probeServices(deps: MonitoringDeps, cycle: Cycle): Promise<ProbeAnswer> {
  const started = performance.now();
  const store = { service: 'store', ask: () => askStore(deps) };
  const [answers, pools, overview] = await Promise.all([
    deps.ask([store, ...deps.services]),
    deps.measurePools(),
    deps.overview(),
  ]);
  const channels = measureChannels(overview, deps.clock.nowMs());
  const measurements: readonly Measurement[] = [...answers, ...pools, ...channels];
  const down = answers.filter(({ metric, value }) => metric === 'service.up' && value === 0);
  const detail =
    down.length === 0
      ? 'all services answer'
      : `${down.length} down: ${down.map(({ labels }) => labels['service'] ?? '').join(', ')}`.slice(0, 300);
  return handOver(deps.lake, 'services', cycle.id, { started, detail, measurements });
}

/** Lists the lake, then writes, reads and deletes an object of its own. */
async function askStore({ lake, newId }: MonitoringDeps): Promise<string> {
  for await (const _ of lake.list('_monitoring/')) break;
  const key = `_monitoring/canary/${newId()}`;
  const written = new TextEncoder().encode(key);
  await lake.put(key, written);
  try {
    const read = await lake.get(key);
    if (new TextDecoder().decode(read) !== key) throw new Error('an object reads back as something else');
  } finally {
    await lake.delete([key]);
  }
  return `${lake.uri} lists, takes, returns and deletes`;
}
