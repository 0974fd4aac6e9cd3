/** What a command needs, opened when asked for and closed at its end. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { DatalabClient } from '../client/index.js';
import { DatalabError } from '../contracts/errors.js';
import { loadConfig, type LoadedConfig } from '../config/config.js';
import { connectTemporal } from '../connectors/temporal.js';

export interface Session {
  readonly loaded: LoadedConfig;
  readonly temporal: Client;
  readonly datalab: DatalabClient;
}

/** Runs `body` with a connection to Temporal. */
export async function withSession<T>(body: (session: Session) => Promise<T>): Promise<T> {
  const loaded = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  const temporal = await connectTemporal(loaded.config.temporal);
  try {
    return await body({ loaded, temporal, datalab: new DatalabClient(temporal) });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new DatalabError('RUN_UNKNOWN', `there is no run '${error.workflowId}'`, { cause: error });
  } finally {
    await temporal.connection.close();
  }
}

/** Prints data for scripts, or text for people. */
export function print(json: boolean | undefined, data: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(data, null, 2) : text}\n`);
}
