/** How old the newest data of each declared dataset is, against the age that it allows. */
import type { DatasetDefinition } from '../../contracts/dataset.js';
import type { Measurement } from '../../contracts/monitoring.js';
import type { LakeMemory } from '../../contracts/probe-memory.js';
import { mapLimited } from '../../delta/index.js';
import { freshnessOf } from '../../monitoring/index.js';
import type { MonitoringDeps } from './deps.js';

const PARALLEL = 16;

/** None for a dataset that never published: that its runs fail or are missing is said by its schedule. */
export async function measureDatasets(
  deps: MonitoringDeps,
  { tables }: LakeMemory,
  nowMs: number,
): Promise<Measurement[]> {
  const names = await deps.datasetNames();
  return (
    await mapLimited(names, PARALLEL, async (name) => {
      const labels = { dataset: name };
      const valid = (value: number, detail?: string): Measurement => ({
        ...{ metric: 'dataset.valid', labels, value },
        ...(detail !== undefined && { detail }),
      });
      try {
        const dataset = await deps.loadDataset(name);
        return [valid(1), ...measureDataset(dataset, tables, nowMs, deps.config.monitoring.freshness)];
      } catch (error) {
        return [valid(0, (error instanceof Error ? error.message : String(error)).slice(0, 200))];
      }
    })
  ).flat();
}

function measureDataset(
  { name, gold, freshnessSeconds }: DatasetDefinition,
  tables: LakeMemory['tables'],
  nowMs: number,
  otherwise: number,
): Measurement[] {
  const found = freshnessOf({
    bronze: tables[`bronze.${name}`],
    silver: tables[`silver.${name}`],
    gold: gold.flatMap(({ table }) => tables[`gold.${table}`] ?? []),
  });
  if (found === null) return [];
  const labels = { dataset: name };
  const age = (nowMs - found) / 1000;
  const allowed = freshnessSeconds === undefined ? otherwise : freshnessSeconds;
  const figures: Measurement[] = [{ metric: 'dataset.freshness_seconds', labels, value: age }];
  if (allowed === null) return figures;
  const detail = `from ${new Date(found).toISOString()}, ${hours(age)} ago; ${hours(allowed)} are allowed`;
  return [...figures, { metric: 'dataset.overdue_seconds', labels, value: age - allowed, detail }];
}

function hours(seconds: number): string {
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
