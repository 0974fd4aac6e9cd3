/** The model server, asked for what it serves and for predictions: nobody on a page waits long for it. */
import { z } from 'zod';
import { modelServerUrl } from '../../config/model-server.js';
import { DatalabError } from '../../contracts/errors.js';
import type { PredictAnswer, ServedModel } from '../../contracts/serving.js';
import type { DashboardDeps } from './deps.js';

const WITHIN_MS = 3000;
const problem = z.object({ code: z.string(), message: z.string() });

/** Asks; null where nothing answers there, or it is switched off. Throws INPUT_INVALID with what it refuses. */
async function ask<T>({ config }: DashboardDeps, path: string, body?: object): Promise<T | null> {
  if (!config.modelServer.enabled) return null;
  const response = await fetch(`${modelServerUrl(config.modelServer)}${path}`, {
    signal: AbortSignal.timeout(WITHIN_MS),
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  }).catch(() => null);
  if (!response) return null;
  const said: unknown = await response.json().catch(() => null);
  if (response.ok) return said as T;
  const refusal = problem.safeParse(said);
  // What is no refusal of the model server's comes from somebody else on that port.
  if (!refusal.success) return null;
  throw new DatalabError('INPUT_INVALID', `the model server: ${refusal.data.code}: ${refusal.data.message}`);
}

/** What is served of a model; null where no model server answers, or it does not serve it. */
export async function servedModel(deps: DashboardDeps, name: string): Promise<ServedModel | null> {
  const answer = await ask<{ readonly models: readonly ServedModel[] }>(deps, '/models').catch(() => null);
  return answer?.models?.find(({ model }) => model === name) ?? null;
}

/** A prediction by the server that other programs ask. */
export function askPrediction(
  deps: DashboardDeps,
  model: string,
  given:
    | { readonly rows: ReadonlyArray<Readonly<Record<string, number | null>>> }
    | { readonly keys: ReadonlyArray<Readonly<Record<string, string | number>>> },
): Promise<PredictAnswer | null> {
  return ask<PredictAnswer>(deps, '/predict', { model, ...given });
}
