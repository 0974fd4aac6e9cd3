/** Figures of models in use, of what the last `modelWatch` found. */
import type { Labels, Measurement } from '../../contracts/monitoring.js';
import { WATCH_MEMORY, type WatchMemory } from '../../contracts/model-watch.js';
import type { ObjectStore } from '../../delta/index.js';
import { recall } from './memory.js';

/** None where no model was ever watched. */
export async function measureLive(lake: ObjectStore, nowMs: number): Promise<Measurement[]> {
  const memory = await recall<WatchMemory>(lake, WATCH_MEMORY);
  if (!memory) return [];
  const watched = {
    metric: 'models.watched_seconds',
    labels: {},
    value: (nowMs - Date.parse(memory.at)) / 1000,
  };
  return [
    watched,
    ...memory.models.flatMap((one): Measurement[] => {
      const labels: Labels = { model: one.model, version: one.version };
      const figure = (
        metric: string,
        value: number | null,
        more: Partial<Measurement> = {},
      ): Measurement[] => (value === null ? [] : [{ metric, labels, value, ...more }]);
      const short = (value: number | null): string => (value === null ? 'unknown' : value.toPrecision(4));
      const detail = `${one.metric} ${short(one.live)} over ${one.judged} predictions, ${short(one.holdout)} on the holdout`;
      return [
        ...figure('model.predictions', one.predictions),
        ...figure('model.judged', one.judged),
        ...figure('model.live_error', one.live, { labels: { ...labels, of: one.metric } }),
        ...figure('model.degradation', one.degradation, { detail }),
        ...figure('model.prediction_drift', one.drift),
        ...figure(
          'model.measurable',
          one.problem === null ? 1 : 0,
          one.problem === null ? {} : { detail: one.problem },
        ),
      ];
    }),
  ];
}
