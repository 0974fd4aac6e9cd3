/** What a run leaves in the lake beside its tables: its log and its report. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { resolveLakeUri } from '../connectors/lake-uri.js';
import { openObjectStore } from '../connectors/object-store/index.js';
import type { ReportRef } from '../contracts/run.js';
import type { LogLine } from '../contracts/run-log.js';
import type { ObjectStore } from '../delta/index.js';
import type { Session } from './session.js';

/** The configured lake. */
export function lakeOf({ config, projectDirectory }: Session['loaded']): ObjectStore {
  return openObjectStore(resolveLakeUri(config.lake.uri, projectDirectory), {
    s3: config.s3,
    cacheDirectory: path.resolve(projectDirectory, config.worker.cacheDirectory),
    cacheBytes: config.worker.cacheGb * 2 ** 30,
  });
}

/** Where the configured lake is. */
export function lakeUriOf({ config, projectDirectory }: Session['loaded']): string {
  return resolveLakeUri(config.lake.uri, projectDirectory);
}

/** Saves a run's page to a file that a browser can open: by default below the state folder. Returns its path. */
export async function saveReport(
  loaded: Session['loaded'],
  { html }: ReportRef,
  file = path.join(process.env['DATALAB_STATE_DIR'] ?? '.datalab', html),
): Promise<string> {
  const target = path.resolve(loaded.projectDirectory, file);
  const page = await lakeOf(loaded).get(html);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, page);
  return target;
}

/**
 * The id that a run has in records and files: of the newest run with that workflow id. A run that Temporal no longer keeps
 * is found by its run id.
 */
export async function runIdOf({ temporal }: Session, workflowOrRunId: string): Promise<string> {
  const handle = temporal.workflow.getHandle(workflowOrRunId);
  try {
    const { raw } = await handle.describe();
    return raw.workflowExecutionInfo?.firstRunId || (raw.workflowExecutionInfo?.execution?.runId ?? '');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError) || !/^[0-9a-f-]{36}$/.test(workflowOrRunId)) throw error;
    return workflowOrRunId;
  }
}

/** One line for people. Control characters cannot steer the terminal. */
export function renderLogLine({ time, level, activity, attempt, message, fields = {} }: LogLine): string {
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  const more = Object.entries(fields).map(([key, value]) => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return ` ${key}=${/\s/.test(shown) ? JSON.stringify(shown) : shown}`;
  });
  const text = `${time}  ${level.padEnd(5)}  ${activity}${again}: ${message}${more.join('')}`;

  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ');
}
