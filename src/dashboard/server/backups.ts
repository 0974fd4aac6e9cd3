/** Backups: what there is where they are kept, and what became of making, verifying and trying them. */
import path from 'node:path';
import { resolveLakeUri } from '../../connectors/lake-uri.js';
import { openObjectStore } from '../../connectors/object-store/index.js';
import type { BackupManifest, BackupSummary } from '../../contracts/backup.js';
import type { WorkflowType } from '../../contracts/flows.js';
import { mapLimited, type ObjectStore } from '../../delta/index.js';
import type { DashboardDeps } from './deps.js';
import { reasonOf } from './measured.js';
import { listRuns, type RunRow } from './runs.js';
import { inputOf } from './run-view.js';
import type { BackupRunRow, MaintenanceNow } from './shapes/maintenance.js';

const BACKUPS_SHOWN = 30;
const RUNS_SHOWN = 15;
const MANIFEST = /^backups\/([^/]+)\/manifest\.json$/;

type Backups = MaintenanceNow['backup'];

export async function backupsNow(deps: DashboardDeps): Promise<Backups> {
  const { uri } = deps.config.maintenance.backup;
  const [found, runs] = await Promise.all([
    uri === ''
      ? { backups: [], problem: null }
      : manifestsIn(backupStore(deps)).then(
          (backups) => ({ backups, problem: null }),
          (error: unknown) => ({ backups: [], problem: reasonOf(error) }),
        ),
    backupRuns(deps),
  ]);
  return { uri: uri === '' ? null : uri, runs, ...found };
}

function backupStore({ config, projectDirectory }: DashboardDeps): ObjectStore {
  return openObjectStore(resolveLakeUri(config.maintenance.backup.uri, projectDirectory), {
    s3: config.s3,
    cacheDirectory: path.resolve(projectDirectory, config.worker.cacheDirectory, 'dashboard'),
    cacheBytes: 2 ** 28,
  });
}

const KNOWN = new Map<string, Backups['backups'][number]>();

/** The newest backups first. A manifest never changes. */
async function manifestsIn(store: ObjectStore): Promise<Backups['backups']> {
  const keys: string[] = [];
  for await (const { key } of store.list('backups/')) if (MANIFEST.test(key)) keys.push(key);
  const newest = keys.slice(-BACKUPS_SHOWN).reverse();
  return mapLimited(newest, 4, async (key) => {
    const known = KNOWN.get(key);
    if (known) return known;
    const { manifest } = JSON.parse(Buffer.from(await store.get(key)).toString()) as {
      manifest: BackupManifest;
    };
    const { id, at, tables } = manifest;
    const row = {
      ...{ id, at, tables: tables.length },
      files: tables.reduce((sum, { files }) => sum + files, 0),
      bytes: tables.reduce((sum, one) => sum + one.bytes, 0),
    };
    KNOWN.set(key, row);
    return row;
  });
}

const ENDED = new Map<string, BackupRunRow>();

/** Newest first: those that people started, and those that the weekly maintenance did. */
async function backupRuns(deps: DashboardDeps): Promise<BackupRunRow[]> {
  const flow: WorkflowType = 'lakeBackup';
  const { rows } = await listRuns(deps, { flow }, { limit: RUNS_SHOWN });
  return mapLimited(rows, 4, async (run) => {
    const known = ENDED.get(run.runId);
    if (known) return known;
    const row = await backupRun(deps, run);
    if (run.finishedAt !== null) ENDED.set(run.runId, row);
    return row;
  });
}

async function backupRun(deps: DashboardDeps, run: RunRow): Promise<BackupRunRow> {
  const { workflowId, runId, status, startedAt, finishedAt } = run;
  const handle = deps.temporal.workflow.getHandle(workflowId, runId, { followRuns: false });
  const [input, ending] = await Promise.all([
    inputOf(deps, workflowId, runId).catch(() => null),
    finishedAt === null
      ? null
      : (handle.result() as Promise<BackupSummary>).then(
          (summary) => ({ summary, problem: null }),
          (error: unknown) => ({ summary: null, problem: reasonOf(error) }),
        ),
  ]);
  const asked = input as { task?: string; dryRun?: boolean } | null;
  const summary = ending?.summary;
  return {
    ...{ workflowId, runId, status, startedAt, finishedAt },
    task: asked?.task ?? '?',
    dryRun: asked?.dryRun === true,
    backup: summary?.backup ?? null,
    tables: summary?.figures.tables ?? null,
    objects: summary?.figures.objects ?? null,
    bytes: summary?.figures.bytes ?? null,
    problems: [...(summary?.problems ?? []), ...(ending?.problem ? [ending.problem] : [])],
  };
}
