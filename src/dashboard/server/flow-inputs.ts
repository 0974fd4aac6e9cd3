/** Forms for starting flows: each flow's input as JSON Schema, and what its fields may name. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { FLOW_INPUTS } from '../../client/index.js';
import type { DashboardDeps } from './deps.js';
import type { Hub } from './hub.js';
import type { InputSchemas } from './shapes/flows.js';
import { modelsNow } from './models.js';

/** So many names a field offers; more can be typed. */
const CHOICES_MAX = 200;
const WITHIN_MS = 2000;

export async function inputSchemas(deps: DashboardDeps, hub: Hub): Promise<InputSchemas> {
  // Names are a help: a service that is away must not keep a form from opening.
  const soon = <Value>(asked: Promise<Value>): Promise<Value | null> =>
    Promise.race([asked.catch(() => null), setTimeout(WITHIN_MS, null)]);
  const [tables, datasets, flows, models] = await Promise.all([
    soon(hub.tables.fresh()),
    soon(hub.datasets.fresh()),
    soon(hub.sections.flows.fresh()),
    soon(modelsNow(deps)),
  ]);
  const names = (all: readonly string[] | undefined): string[] => (all ?? []).slice(0, CHOICES_MAX);
  return {
    flows: Object.entries(FLOW_INPUTS).map(([flow, schema]) => ({
      flow,
      schema: z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>,
    })),
    choices: {
      tables: names(tables?.value?.tables.map(({ name }) => name)),
      datasets: names(datasets?.value?.map(({ dataset }) => dataset)),
      schedules: names(flows?.value?.map(({ scheduleId }) => scheduleId)),
      models: names(models?.models.map(({ name }) => name)),
    },
  };
}
