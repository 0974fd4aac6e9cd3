/** Small JSON objects below `_monitoring/` in the lake: what probes remember, and samples on their way. */
import type { Measurement, ProbeAnswer, ProbeName } from '../../contracts/monitoring.js';
import type { ObjectStore } from '../../delta/index.js';

/** The object, or null where it is not there, is no JSON, or the lake does not answer: a probe then starts afresh. */
export async function recall<T>(lake: ObjectStore, name: string): Promise<T | null> {
  try {
    return JSON.parse(new TextDecoder().decode(await lake.get(`_monitoring/${name}.json`))) as T;
  } catch {
    return null;
  }
}

/** Keeps it; returns the reason where the lake does not take it. */
export async function remember(lake: ObjectStore, name: string, value: unknown): Promise<string | undefined> {
  try {
    await lake.put(`_monitoring/${name}.json`, new TextEncoder().encode(JSON.stringify(value)));
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).slice(0, 300);
  }
}

/** More figures than this do not go through the history of the workflow. */
const INLINE_MAX = 400;

/** Wraps figures into an answer: few travel with it, many lie in the lake. */
export async function handOver(
  lake: ObjectStore,
  probe: ProbeName,
  cycleId: string,
  {
    started,
    detail,
    measurements,
  }: { started: number; detail: string; measurements: readonly Measurement[] },
): Promise<ProbeAnswer> {
  const ms = Math.round(performance.now() - started);
  const base = { probe, up: true, ms, count: measurements.length };
  if (measurements.length <= INLINE_MAX) return { ...base, detail, measurements, reference: null };
  const reference = `sample/${probe}-${cycleId}`;
  const problem = await remember(lake, reference, measurements);
  if (problem === undefined) return { ...base, detail, measurements: [], reference };
  const cut = measurements.slice(0, INLINE_MAX);
  return {
    ...base,
    detail: `${detail}; only the first ${INLINE_MAX} figures, the lake did not take them: ${problem}`,
    measurements: cut,
    reference: null,
  };
}

/** The figures of an answer. Throws where they should lie in the lake and do not. */
export async function takeOver(
  lake: ObjectStore,
  { measurements, reference, probe }: ProbeAnswer,
): Promise<readonly Measurement[]> {
  if (reference === null) return measurements;
  const found = await recall<readonly Measurement[]>(lake, reference);
  if (found === null) throw new Error(`the figures of the ${probe} probe are not in the lake any more`);
  return found;
}
