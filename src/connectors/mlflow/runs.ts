/** Experiments and runs of MLflow. */
import { z } from 'zod';
import { orMissing, orThere, type Api } from './request.js';

const METRICS_MAX = 900;
const PARAMS_MAX = 100;

const runSchema = z.object({
  info: z.object({
    run_id: z.string(),
    status: z.string(),
    artifact_uri: z.string(),
    experiment_id: z.string(),
  }),
});
export interface MlflowRun {
  readonly runId: string;
  readonly status: string;
  readonly artifactUri: string;
}

export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export type RunStatus = 'FINISHED' | 'FAILED' | 'KILLED';

export function mlflowRuns(api: Api) {
  const post = (path: string, data: object): Promise<unknown> => api('POST', path, z.unknown(), data);
  const findRuns = async (experimentId: string, filter: string): Promise<MlflowRun[]> => {
    const found = await api('POST', 'runs/search', z.object({ runs: z.array(runSchema).default([]) }), {
      ...{ experiment_ids: [experimentId], filter, max_results: 1000 },
    });
    return found.runs.map(runOf);
  };
  return {
    findRuns,
    /** Id of the experiment, made where it is not there. */
    async experiment(name: string): Promise<string> {
      const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
      const one = z.object({ experiment: z.object({ experiment_id: z.string() }) });
      const found = await orMissing(api('GET', path, one));
      if (found) return found.experiment.experiment_id;
      await orThere(post('experiments/create', { name }));
      return (await api('GET', path, one)).experiment.experiment_id;
    },
    /** The run that carries this tag value, opened anew where it was closed; made where there is none. */
    async ensureRun(
      experimentId: string,
      options: { key: string; name: string; startMs: number; tags: Readonly<Record<string, string>> },
    ): Promise<MlflowRun> {
      const [known] = await findRuns(experimentId, `tags.\`datalab.key\` = '${options.key}'`);
      if (known) return known;
      const tags = { ...options.tags, 'datalab.key': options.key, 'mlflow.runName': options.name };
      const made = await api('POST', 'runs/create', z.object({ run: runSchema }), {
        ...{ experiment_id: experimentId, start_time: options.startMs, run_name: options.name },
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      });
      return runOf(made.run);
    },
    async closeRun(runId: string, status: RunStatus, endMs: number): Promise<void> {
      await post('runs/update', { run_id: runId, status, end_time: endMs });
    },
    /** The same metric with the same time and step is kept once, so that a repetition adds nothing. */
    async logBatch(
      runId: string,
      {
        params = {},
        metrics = [],
      }: { params?: Readonly<Record<string, string>>; metrics?: readonly MlflowMetric[] },
    ): Promise<void> {
      const all = Object.entries(params).map(([key, value]) => ({ key, value: value.slice(0, 6000) }));
      for (let at = 0; at === 0 || at < all.length; at += PARAMS_MAX)
        await post('runs/log-batch', { run_id: runId, params: all.slice(at, at + PARAMS_MAX) });
      for (let at = 0; at < metrics.length; at += METRICS_MAX)
        await post('runs/log-batch', { run_id: runId, metrics: metrics.slice(at, at + METRICS_MAX) });
    },
    /** The newest value of each metric of a run. */
    async metrics(runId: string): Promise<Readonly<Record<string, number>>> {
      const metric = z.object({ key: z.string(), value: z.number() });
      const schema = z.object({
        run: z.object({ data: z.object({ metrics: z.array(metric).default([]) }) }),
      });
      const { run } = await api('GET', `runs/get?run_id=${encodeURIComponent(runId)}`, schema);
      return Object.fromEntries(run.data.metrics.map(({ key, value }) => [key, value]));
    },
    async logDataset(
      runId: string,
      dataset: { name: string; digest: string; source: object; profile: object },
    ): Promise<void> {
      const { name, digest, source, profile } = dataset;
      await post('runs/log-inputs', {
        run_id: runId,
        datasets: [
          {
            tags: [{ key: 'mlflow.data.context', value: 'training' }],
            dataset: {
              ...{ name, digest, source_type: 'delta_table' },
              ...{ source: JSON.stringify(source), profile: JSON.stringify(profile) },
            },
          },
        ],
      });
    },
  };
}

function runOf({ info }: z.output<typeof runSchema>): MlflowRun {
  return { runId: info.run_id, status: info.status, artifactUri: info.artifact_uri };
}
