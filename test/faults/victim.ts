/** The workers of the tests that kill them: all that they store goes through a proxy that can hold it up. */
import { WorkerProcess } from '../support/worker-process.js';

export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  /** Where the proxy before the S3 gateway listens. */
  readonly endpoint: string;
  /** Folder of the datasets. */
  readonly datasets: string;
}

/** Starts one with a short heartbeat, so that no test waits half a minute for a dead worker to be missed. */
export function startVictim(
  { env, endpoint, datasets }: Surroundings,
  pool: 'all' | 'etl' | 'flows',
): Promise<WorkerProcess> {
  return WorkerProcess.start(
    {
      ...env,
      AWS_ENDPOINT_URL: endpoint,
      DATALAB_HEARTBEAT_SECONDS: '5',
      DATALAB_DATASETS_DIRECTORY: datasets,
    },
    [pool],
  );
}
