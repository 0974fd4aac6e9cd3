/** Which table is made of which, from the datasets as they are declared. */
import path from 'node:path';
import { listDatasets, loadDataset } from '../../config/datasets.js';
import type { DashboardDeps } from './deps.js';

export interface LineageGraph {
  /** Sources by their location, tables by `layer.table`. */
  readonly nodes: readonly string[];
  readonly edges: ReadonlyArray<{ readonly from: string; readonly to: string }>;
  /** Datasets that cannot be read, with the reason. */
  readonly problems: readonly string[];
}

export async function lineageOf({ config, projectDirectory }: DashboardDeps): Promise<LineageGraph> {
  const directory = path.resolve(projectDirectory, config.datasets.directory);
  const nodes = new Set<string>();
  const edges: Array<{ from: string; to: string }> = [];
  const problems: string[] = [];
  const link = (from: string, to: string): void => {
    nodes.add(from).add(to);
    edges.push({ from, to });
  };
  for (const name of await listDatasets(directory)) {
    try {
      const dataset = await loadDataset(directory, name, config.quality);
      link(dataset.source.location, `bronze.${name}`);
      link(`bronze.${name}`, `silver.${name}`);
      link(`bronze.${name}`, `quarantine.${name}`);
      for (const { table } of dataset.gold) link(`silver.${name}`, `gold.${table}`);
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  return { nodes: [...nodes], edges, problems };
}
