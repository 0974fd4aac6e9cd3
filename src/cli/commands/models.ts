/** `datalab models …`: looks at models in MLflow, and trains, promotes, rolls back and approves through workflows. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { loadModels } from '../../config/model.js';
import { openMlflow, type MlflowClient, type MlflowVersion } from '../../connectors/mlflow/index.js';
import { loadConfig, type LoadedConfig } from '../../config/config.js';
import { DatalabError } from '../../contracts/errors.js';
import type { DeploymentInput } from '../../contracts/ml-flows.js';
import { openPredictor } from '../../ml/predictor.js';
import { classesIn, sayRow } from '../../ml/say.js';
import { WATCH_MEMORY, type WatchMemory } from '../../contracts/model-watch.js';
import { ObjectNotFoundError } from '../../delta/index.js';
import { EXIT } from '../exit.js';
import { report } from '../finish.js';
import { withLake } from '../lake.js';
import { positiveOrZero } from '../options.js';
import { lakeUriOf } from '../run-files.js';
import { print, withSession } from '../session.js';
import { table } from '../text.js';

interface Json {
  readonly json?: boolean;
}

export function addModels(program: Command): void {
  const models = program.command('models').description('Models: trained from Gold, kept in MLflow');
  const json = (name: string, description: string): Command =>
    models.command(name).description(description).option('--json', 'print JSON');

  json('list', 'the declared models and where they stand').action((flags: Json) => list(flags));
  json('show', 'the versions of a model, newest first')
    .argument('<model>', 'as in `datalab models list`')
    .action((name: string, flags: Json) => show(name, flags));
  json('compare', 'the measured figures of two versions beside each other')
    .argument('<model>', 'as in `datalab models list`')
    .argument('<version>', 'a version or an alias')
    .argument('[other]', 'the other; default: champion', 'champion')
    .action((name: string, one: string, other: string, flags: Json) => compare(name, one, other, flags));
  json('live', 'the champions in use: their error by now beside that on the holdout').action((flags: Json) =>
    live(flags),
  );
  json('train', 'train a model, judge it, and deploy it where it has earned that')
    .argument('<model>', 'as in `datalab models list`')
    .option('--gold-version <n>', 'version of the Gold table; default: the newest', positiveOrZero)
    .option('--force', 'also where an equal model is registered already')
    .option('--wait', 'follow the run to its end; exit code 1 when it fails')
    .action((model: string, flags: Json & { goldVersion?: number; force?: boolean; wait?: boolean }) =>
      withSession(async ({ datalab, loaded }) => {
        const { goldVersion, force } = flags;
        const options = { ...(goldVersion !== undefined && { goldVersion }), ...(force && { force }) };
        const run = await datalab.startTraining({ model, options });
        await report(run, { ...flags, lakeUri: lakeUriOf(loaded) });
      }),
    );
  json('promote', 'make a version the champion, after a test of it')
    .argument('<model>', 'as in `datalab models list`')
    .argument('<version>', 'as in `datalab models show`')
    .action((model: string, version: string, flags: Json) => deploy({ model, version }, flags));
  json('rollback', 'make the champion before the champion again')
    .argument('<model>', 'as in `datalab models list`')
    .action((model: string, flags: Json) => deploy({ model, version: 'previous' }, flags));
  json('predict', 'predict one row, given as JSON with a value by feature name')
    .argument('<model>', 'as in `datalab models list`')
    .argument('<row>', 'as in \'{"log_return": 0.01}\', or - to read it from standard input')
    .option('--model-version <version>', 'a version or an alias', 'champion')
    .action((model: string, row: string, flags: Json & { modelVersion: string }) =>
      predict(model, row, flags),
    );
  json('approve', 'decide on a training that waits for a person')
    .argument('<workflow>', 'as in `datalab runs list`')
    .option('--refuse', 'refuse instead')
    .option('--reason <text>', 'why')
    .action((workflowId: string, flags: Json & { refuse?: boolean; reason?: string }) =>
      withSession(async ({ datalab }) => {
        const by = process.env['USER'] ?? 'command line';
        const { reason } = flags;
        const said = await datalab.decideTraining(workflowId, {
          approve: !flags.refuse,
          by,
          ...(reason && { reason }),
        });
        print(flags.json, { workflowId, decision: said }, `${workflowId}: ${said}`);
      }),
    );
}

async function withMlflow<T>(body: (mlflow: MlflowClient, loaded: LoadedConfig) => Promise<T>): Promise<T> {
  const loaded = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  if (!loaded.config.mlflow.enabled)
    throw new DatalabError('MLFLOW_OFF', 'MLflow is switched off (mlflow.enabled)');
  return body(openMlflow(loaded.config.mlflow.trackingUri), loaded);
}

function list({ json }: Json): Promise<void> {
  return withMlflow(async (mlflow, { config, projectDirectory }) => {
    const folder = path.resolve(projectDirectory, config.datasets.directory);
    const datasets = await readdir(folder).catch((): string[] => []);
    const declared = (
      await Promise.all(datasets.sort().map((dataset) => loadModels(folder, dataset)))
    ).flat();
    const found = await Promise.all(
      declared.map(async ({ name, dataset, table: gold, metric }) => {
        const { champion = null, candidate = null } = await mlflow.aliases(name);
        return { name, dataset, table: `gold.${gold}`, metric, champion, candidate };
      }),
    );
    const cells = found.map((one) => [
      one.name,
      one.table,
      one.metric,
      one.champion ?? '–',
      one.candidate ?? '–',
    ]);
    print(json, found, table(['model', 'table', 'metric', 'champion', 'candidate'], cells));
  });
}

function show(name: string, { json }: Json): Promise<void> {
  return withMlflow(async (mlflow) => {
    const versions = await mlflow.versions(name);
    if (versions.length === 0)
      throw new DatalabError('MODEL_UNKNOWN', `MLflow has no version of a model '${name}'`);
    const cells = versions.map(({ version, aliases, tags, createdAt }) => [
      version,
      aliases.join(', ') || '–',
      tags['datalab.decision'] ?? '–',
      `${tags['datalab.gold_table'] ?? ''} v${tags['datalab.gold_version'] ?? ''}`,
      createdAt ?? '',
      (tags['datalab.reasons'] ?? '').split('\n')[0]?.slice(0, 100) ?? '',
    ]);
    print(json, versions, table(['version', 'aliases', 'decision', 'data', 'made', 'why'], cells));
  });
}

/** What the last `modelWatch` found. */
async function live({ json }: Json): Promise<void> {
  const memory = await withLake(async ({ store }) => {
    const bytes = await store.get(`_monitoring/${WATCH_MEMORY}.json`).catch((error: unknown) => {
      if (error instanceof ObjectNotFoundError) return null;
      throw error;
    });
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as WatchMemory);
  });
  if (!memory)
    return print(
      json,
      null,
      'no model was watched yet: `datalab schedules trigger mlops-model-watch` does it',
    );
  const short = (value: number | null): string => (value === null ? '–' : value.toPrecision(4));
  const cells = memory.models.map((one) => [
    ...[one.model, one.version, String(one.predictions), String(one.judged), one.metric],
    ...[short(one.live), short(one.holdout), short(one.drift), one.problem ?? ''],
  ]);
  const heads = ['model', 'version', 'predicted', 'judged', 'metric', 'live', 'holdout', 'drift', 'problem'];
  print(json, memory, `${table(heads, cells)}\nLast 30 days, as of ${memory.at}.`);
}

function versionOf(versions: readonly MlflowVersion[], name: string, wanted: string): MlflowVersion {
  const found = versions.find(({ version, aliases }) => version === wanted || aliases.includes(wanted));
  if (found) return found;
  throw new DatalabError('MODEL_VERSION_UNKNOWN', `model '${name}' has no version '${wanted}'`);
}

function compare(name: string, one: string, other: string, { json }: Json): Promise<void> {
  return withMlflow(async (mlflow) => {
    const versions = await mlflow.versions(name);
    const both = [versionOf(versions, name, one), versionOf(versions, name, other)];
    const figures = await Promise.all(both.map(async ({ runId }) => mlflow.metrics(runId ?? '')));
    const names = [...new Set(figures.flatMap(Object.keys))]
      .filter((key) => key.startsWith('holdout_'))
      .sort();
    const data = both.map(({ version, tags }, index) => ({
      ...{ version, goldVersion: tags['datalab.gold_version'] ?? null },
      metrics: Object.fromEntries(
        names.map((key) => [key.slice('holdout_'.length), figures[index]?.[key] ?? null]),
      ),
    }));
    const cells = names.map((key) => [key.slice(8), ...figures.map((all) => all[key]?.toFixed(4) ?? '–')]);
    const note = 'Each on its own holdout; versions of one Gold version share it.';
    print(
      json,
      data,
      `${table(['metric', ...both.map(({ version }) => `version ${version}`)], cells)}\n${note}`,
    );
  });
}

async function deploy(input: DeploymentInput, { json }: Json): Promise<void> {
  const ending = await withSession(({ datalab }) => datalab.deployModel(input));
  if (ending.status === 'completed') {
    const { model, version, from } = ending.result;
    const before = from === version ? ', as before' : from === null ? '' : ` in place of version ${from}`;
    return print(json, ending.result, `${model}: version ${version} is the champion${before}`);
  }
  const said = ending.status === 'failed' ? `${ending.code}: ${ending.message}` : 'cancelled';
  print(json, ending, `${input.model} was not changed: ${said}`);
  process.exitCode = EXIT.failed;
}

function predict(name: string, row: string, flags: Json & { modelVersion: string }): Promise<void> {
  return withMlflow(async (mlflow) => {
    const { source, version } = versionOf(await mlflow.versions(name), name, flags.modelVersion);
    const predictor = openPredictor((await mlflow.getArtifact(source, 'model.json')).toString());
    const given = parseRow(row === '-' ? await readFile('/dev/stdin', 'utf8') : row);
    const strange = Object.keys(given).filter((key) => !predictor.featureNames.includes(key));
    if (strange.length > 0)
      throw new DatalabError('INPUT_INVALID', `model '${name}' takes no feature ${strange.join(', ')}`);
    const values = Float32Array.from(predictor.featureNames, (feature) => given[feature] ?? NaN);
    const classes =
      predictor.outputs > 1
        ? classesIn((await mlflow.getArtifact(source, 'definition.json')).toString())
        : undefined;
    const said = sayRow(predictor, values, classes);
    const chances = Object.entries(said.probabilities ?? {}).map(([one, chance]) => [one, chance.toFixed(4)]);
    const text =
      said.class === undefined
        ? String(said.prediction)
        : `${said.class}\n${table(['class', 'probability'], chances)}`;
    print(flags.json, { model: name, version, ...said }, text);
  });
}

function parseRow(text: string): Readonly<Record<string, number | null>> {
  try {
    const row = JSON.parse(text) as unknown;
    const isRow = typeof row === 'object' && row !== null && !Array.isArray(row);
    if (isRow && Object.values(row).every((value) => value === null || typeof value === 'number'))
      return row as Record<string, number | null>;
  } catch {
    // Said below.
  }
  throw new DatalabError('INPUT_INVALID', 'a row is a JSON object with a number or null by feature name');
}
