/** Registered models of MLflow: versions, tags, aliases. */
import { z } from 'zod';
import { orMissing, orThere, type Api } from './request.js';

const versionSchema = z.object({
  version: z.coerce.string(),
  run_id: z.string().optional(),
  source: z.string(),
  creation_timestamp: z.coerce.number().optional(),
  tags: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
});

const aliasSchema = z.object({ alias: z.string(), version: z.coerce.string() });
const modelsSchema = z.object({
  registered_models: z
    .array(z.object({ name: z.string(), aliases: z.array(aliasSchema).default([]) }))
    .default([]),
  next_page_token: z.string().optional(),
});

export interface MlflowVersion {
  readonly version: string;
  readonly runId: string | undefined;
  readonly source: string;
  readonly createdAt: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
}

export function mlflowRegistry(api: Api) {
  const nothing = z.unknown();
  const post = (path: string, data: object): Promise<unknown> => api('POST', path, nothing, data);
  return {
    /** Names of the registered models. */
    async models(): Promise<string[]> {
      const schema = z.object({ registered_models: z.array(z.object({ name: z.string() })).default([]) });
      return (await api('GET', 'registered-models/search?max_results=1000', schema)).registered_models.map(
        ({ name }) => name,
      );
    },
    /** Every model with its aliases, in one question a thousand models: cheap enough to be asked again and again. */
    async allAliases(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
      const found = new Map<string, Readonly<Record<string, string>>>();
      for (let token: string | undefined = ''; token !== undefined;) {
        const page: z.output<typeof modelsSchema> = await api(
          'GET',
          `registered-models/search?max_results=1000${token && `&page_token=${encodeURIComponent(token)}`}`,
          modelsSchema,
        );
        for (const { name, aliases } of page.registered_models)
          found.set(name, Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])));
        token = page.next_page_token || undefined;
      }
      return found;
    },
    async ensureModel(name: string, description: string): Promise<void> {
      await orThere(post('registered-models/create', { name, description }));
    },
    /** All versions, newest first; none where there is no such model. */
    async versions(name: string): Promise<MlflowVersion[]> {
      const aliases = await aliasesOf(api, name);
      const schema = z.object({ model_versions: z.array(versionSchema).default([]) });
      const filter = encodeURIComponent(`name='${name}'`);
      const found = await api('GET', `model-versions/search?filter=${filter}&max_results=10000`, schema);
      return found.model_versions
        .map((one) => ({
          ...{ version: one.version, runId: one.run_id, source: one.source },
          createdAt:
            one.creation_timestamp === undefined ? null : new Date(one.creation_timestamp).toISOString(),
          tags: Object.fromEntries(one.tags.map(({ key, value }) => [key, value])),
          aliases: aliases.filter(({ version }) => version === one.version).map(({ alias }) => alias),
        }))
        .sort((left, right) => Number(right.version) - Number(left.version));
    },
    async createVersion(
      name: string,
      options: { source: string; runId: string; tags: Readonly<Record<string, string>>; description: string },
    ): Promise<string> {
      const { source, runId, tags, description } = options;
      const schema = z.object({ model_version: z.object({ version: z.coerce.string() }) });
      const made = await api('POST', 'model-versions/create', schema, {
        ...{ name, source, run_id: runId, description },
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      });
      return made.model_version.version;
    },
    async tagVersion(name: string, version: string, key: string, value: string): Promise<void> {
      await post('model-versions/set-tag', { name, version, key, value });
    },
    async aliases(name: string): Promise<Readonly<Record<string, string>>> {
      return Object.fromEntries((await aliasesOf(api, name)).map(({ alias, version }) => [alias, version]));
    },
    async setAlias(name: string, alias: string, version: string | null): Promise<void> {
      if (version === null)
        await orMissing(api('DELETE', 'registered-models/alias', nothing, { name, alias }));
      else await post('registered-models/alias', { name, alias, version });
    },
  };
}

async function aliasesOf(api: Api, name: string): Promise<Array<{ alias: string; version: string }>> {
  const schema = z.object({ registered_model: z.object({ aliases: z.array(aliasSchema).default([]) }) });
  const found = await orMissing(api('GET', `registered-models/get?name=${encodeURIComponent(name)}`, schema));
  return found?.registered_model.aliases ?? [];
}
