/** Which table is made of which, up to models and reports, from the datasets as they are declared. */
import path from 'node:path';
import { listDatasets, loadDataset } from '../../config/datasets.js';
import { loadModels } from '../../config/model.js';
import type { TableInfo } from '../../lake/tables.js';
import type { DatasetRow } from './datasets.js';
import type { DashboardDeps } from './deps.js';
import { reasonOf } from './measured.js';
import type { LineageGraph } from './shapes/lake.js';

/** More than so many datasets make a picture that nobody can read: the first ones, or one that is asked for. */
const DATASETS_MAX = 8;

type Node = LineageGraph['nodes'][number];

export async function lineageOf(
  { config, projectDirectory }: DashboardDeps,
  {
    dataset: wanted,
    tables,
    datasets,
  }: {
    readonly dataset?: string | undefined;
    readonly tables: readonly TableInfo[];
    readonly datasets: readonly DatasetRow[];
  },
): Promise<LineageGraph> {
  const directory = path.resolve(projectDirectory, config.datasets.directory);
  const all = await listDatasets(directory);
  const shown = wanted === undefined ? all.slice(0, DATASETS_MAX) : all.filter((name) => name === wanted);
  const nodes = new Map<string, Node>();
  const edges: Array<{ from: string; to: string }> = [];
  const problems: string[] = [];
  const infos = new Map(tables.map((one) => [one.name, one]));
  const add = (id: string, kind: Node['kind'], more: Partial<Node> = {}): string => {
    nodes.set(id, { id, kind, rows: null, changedAt: null, href: null, ...more });
    return id;
  };
  const table = (id: string): string => {
    const info = infos.get(id);
    return add(id, 'table', {
      ...{ rows: info?.rows ?? null, changedAt: info?.changedAt ?? null },
      href: info ? `/lake/${id}?tab=history` : null,
    });
  };
  const link = (from: string, to: string): void => void edges.push({ from, to });
  for (const name of shown) {
    try {
      const declared = await loadDataset(directory, name, config.quality);
      const [bronze, silver] = [table(`bronze.${name}`), table(`silver.${name}`)];
      link(add(declared.source.location, 'source'), bronze);
      link(bronze, silver);
      link(bronze, table(`quarantine.${name}`));
      const last = datasets.find((one) => one.dataset === name);
      const report = add(`report of ${name}`, 'report', {
        changedAt: last?.lastRunAt ?? null,
        href:
          last?.lastWorkflowId && last.lastRunId
            ? `/runs/${encodeURIComponent(last.lastWorkflowId)}/${last.lastRunId}?tab=report`
            : null,
      });
      if (declared.gold.length === 0) link(silver, report);
      for (const gold of declared.gold) {
        const id = table(`gold.${gold.table}`);
        link(silver, id);
        link(id, report);
      }
      for (const model of await loadModels(directory, name))
        link(
          table(`gold.${model.table}`),
          add(`model ${model.name}`, 'model', { href: `/models/${model.name}` }),
        );
    } catch (error) {
      problems.push(`${name}: ${reasonOf(error)}`);
    }
  }
  return { datasets: shown, total: all.length, nodes: [...nodes.values()], edges, problems };
}
