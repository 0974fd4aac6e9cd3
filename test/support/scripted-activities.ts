/**
 * Activities that do what a test says, for tests of the workflow alone: what it calls, in which order, and what it makes
 * of the answers. The activities themselves are tested against the real lake elsewhere.
 */
import type {
  Audit,
  Discovery,
  EtlActivities,
  Published,
  RunPlan,
  RunReport,
  Staged,
} from '../../src/contracts/activities.js';
import type { Ledger } from '../../src/contracts/ledger.js';
import type { ReplayActivities, ReplayFigures } from '../../src/contracts/replay.js';
import type { CheckResult, QualityVerdict } from '../../src/contracts/quality.js';
import type { StepRecord, TableState } from '../../src/contracts/run.js';

export const NO_ROWS: Ledger = { read: 0, accepted: 0, duplicate: 0, quarantined: 0 };
export const SOME_ROWS: Ledger = { read: 10, accepted: 8, duplicate: 1, quarantined: 1 };

export const PLAN: RunPlan = {
  fingerprint: 'f',
  gold: ['daily', 'monthly'],
  heavy: { startToCloseSeconds: 600, heartbeatSeconds: 30, maximumAttempts: 5, initialIntervalSeconds: 1 },
};

export function stepRecord(step: string): StepRecord {
  const now = new Date(0).toISOString();
  return { step, outcome: 'ok', startedAt: now, finishedAt: now, attempt: 1, rows: 0, bytes: 0, detail: '' };
}

export function tableState(table: string, changed: boolean): TableState {
  return { table, version: 0, rows: 8, files: 1, changed };
}

export function discovery(fresh: number): Discovery {
  return {
    step: stepRecord('discover'),
    listed: 3,
    known: 3 - fresh,
    fresh,
    bytes: 100,
    manifest: fresh > 0 ? 'sources' : null,
    current: tableState('bronze.stocks', false),
  };
}

export function staged(name: string, manifest: string | null): Staged {
  return {
    step: stepRecord(`write ${name}`),
    manifest,
    ledger: SOME_ROWS,
    sources: 1,
    current: tableState(name, false),
  };
}

export function published(name: string, status: Published['status'] = 'published'): Published {
  return {
    step: { ...stepRecord(`publish ${name}`), outcome: status === 'published' ? 'ok' : 'conflict' },
    status,
    table: status === 'published' ? tableState(name, true) : null,
    ledger: SOME_ROWS,
    detail: '',
  };
}

export const FAILED_CHECK: CheckResult = {
  name: 'nulls_close',
  kind: 'nulls',
  severity: 'block',
  outcome: 'failed',
  measured: 0.5,
  threshold: 0.05,
  rows: 10,
  badRows: 5,
  unit: 'ratio',
  share: 0.5,
  observed: null,
  examples: [],
  detail: 'close: 50 % NULL, 5 % allowed',
};

export const REPLAYED: ReplayFigures = {
  ...{ tried: 10, accepted: 8, refused: 2, unreachable: 1 },
  problems: [{ path: 'file:///in/a.csv', problem: 'it is not where it was' }],
};

export const REPORT = { html: 'reports/stocks/r.html', json: 'reports/stocks/r.json' };

export function audit(verdict: Partial<QualityVerdict> = {}): Audit {
  return { step: stepRecord('audit'), verdict: { score: 1, blocked: false, results: [], ...verdict } };
}

/** A scripted run: every call is noted, and every answer may be replaced. */
export function scriptedActivities(overrides: Partial<EtlActivities & ReplayActivities> = {}): {
  activities: EtlActivities & ReplayActivities;
  calls: string[];
  reports: RunReport[];
} {
  const calls: string[] = [];
  const reports: RunReport[] = [];
  const script: EtlActivities & ReplayActivities = {
    planRun: async () => PLAN,
    discoverSources: async () => discovery(1),
    writeBronze: async () => staged('bronze.stocks', 'bronze'),
    gatherBronze: async () => staged('bronze.stocks', 'bronze'),
    auditBronze: async () => audit(),
    writeSilver: async () => staged('silver.stocks', 'silver'),
    writeGold: async (_run, table) => staged(`gold.${table}`, `gold-${table}`),
    publish: async (_run, manifest) => published(manifest),
    writeReplay: async () => ({ ...staged('bronze.stocks', 'bronze'), replay: REPLAYED }),
    releaseReplayed: async () => ({ step: stepRecord('release'), released: 8 }),
    writeReport: async () => ({ step: stepRecord('report'), report: REPORT }),
    recordRun: async () => stepRecord('record'),
    relayEvents: async () => ({ step: stepRecord('relay'), sent: 4, pending: 0, detail: '' }),
    ...overrides,
  };
  const noted = Object.fromEntries(
    Object.entries(script).map(([name, body]: [string, (...args: never[]) => Promise<unknown>]) => [
      name,
      (...args: never[]) => {
        calls.push(
          name === 'publish'
            ? `publish ${String(args[1])}`
            : name === 'writeGold'
              ? `writeGold ${String(args[1])}`
              : name,
        );
        if (name === 'recordRun') reports.push(args[0] as unknown as RunReport);
        return body(...args);
      },
    ]),
  ) as unknown as EtlActivities & ReplayActivities;
  return { activities: noted, calls, reports };
}
