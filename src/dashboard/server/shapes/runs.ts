/** What is told of runs, schedules and services. */
import { z } from 'zod';
import type { Episode, AlertOverview, AlertRow, Silence } from '../../../contracts/alerts.js';
import type { Slot } from '../../../contracts/expected-runs.js';
import { SEVERITIES } from '../../../contracts/monitoring.js';
import type { LogLine } from '../../../contracts/run-log.js';
import type { LogPage } from '../../../lake/run-log.js';
import type { FlowRow } from '../flows.js';
import type { PendingActivity, RunView } from '../run-view.js';
import { RUN_STATUSES, type RunPage, type RunRow, type RunsNow, type RunsSince } from '../runs.js';
import type { PoolRow, ServiceRow, ServicesNow, VersionRow, WorkerRow } from '../services.js';
import { list, shapeOf } from './common.js';

const text = z.string().nullable();
const figure = z.number().nullable();
const status = z.enum(RUN_STATUSES);

export const runRow = shapeOf<RunRow>()(
  z.object({
    ...{ workflowId: z.string(), runId: z.string(), flow: z.string(), dataset: text, logicalTime: text },
    ...{ status, outcome: text, phase: text, startedAt: z.string(), finishedAt: text },
  }),
);

export const runPage = shapeOf<RunPage>()(
  z.object({ rows: list(runRow), next: text, total: z.number(), flows: list(z.string()) }),
);

export const runsNow = shapeOf<RunsNow>()(
  z.object({
    newest: list(runRow),
    running: list(runRow),
    lastDay: z.object({ total: z.number(), failed: z.number(), running: z.number() }),
  }),
);

export const runsSince = shapeOf<RunsSince>()(
  z.object({ total: z.number(), statuses: z.record(z.string(), z.number()), rows: list(runRow) }),
);

const pending = shapeOf<PendingActivity>()(
  z.object({
    activity: z.string(),
    attempt: z.number(),
    state: z.enum(['waiting', 'running', 'cancelling']),
    since: text,
    progress: z
      .object({ phase: z.string(), done: z.number(), total: z.number(), unit: z.string() })
      .nullable(),
    heartbeatAt: text,
    lastFailure: text,
  }),
);

export const runView = shapeOf<RunView>()(
  z.object({
    ...{ workflowId: z.string(), runId: z.string(), firstRunId: z.string(), flow: z.string() },
    ...{ dataset: text, logicalTime: text, status, startedAt: z.string(), finishedAt: text },
    ...{ scheduleId: text, historyEvents: z.number(), input: z.unknown(), summary: z.unknown() },
    summaryProblem: text,
    failure: z.object({ code: z.string(), message: z.string() }).nullable(),
    pending: list(pending),
    temporalUrl: z.string(),
  }),
);

const slot = shapeOf<Slot>()(
  z.object({
    ...{ scheduleId: z.string(), logicalTime: z.string(), outcome: z.string(), detail: z.string() },
    ...{ startedAt: text, finishedAt: text, rows: figure, workflowId: text, runId: text },
  }),
);

export const flowRow = shapeOf<FlowRow>()(
  z.object({
    ...{ scheduleId: z.string(), flow: z.string(), input: z.unknown(), note: z.string() },
    ...{ paused: z.boolean(), pauseNote: z.string(), cron: z.string(), timezone: z.string() },
    ...{ overlap: z.string(), next: list(z.string()), running: z.number(), slots: list(slot) },
    successRate: figure,
    duration: z.object({ last: z.number(), p50: z.number(), p95: z.number() }).nullable(),
  }),
);

const logLine = shapeOf<LogLine>()(
  z.object({
    ...{ time: z.string(), level: z.enum(['debug', 'info', 'warn', 'error']) },
    ...{ activity: z.string(), attempt: z.number(), message: z.string() },
    fields: z.record(z.string(), z.unknown()).optional(),
  }),
);
export const runLog = shapeOf<LogPage>()(
  z.object({
    ...{ total: z.number(), activities: list(z.string()), leftOut: z.number(), lines: list(logLine) },
  }),
);

const service = shapeOf<ServiceRow>()(
  z.object({
    ...{ service: z.string(), state: z.enum(['up', 'down', 'off']), ms: figure, detail: z.string() },
  }),
);
const pool = shapeOf<PoolRow>()(
  z.object({
    ...{ pool: z.string(), taskQueue: z.string(), pollers: figure, backlog: figure },
    ...{ backlogAgeSeconds: figure, perSecond: figure },
  }),
);
const worker = shapeOf<WorkerRow>()(
  z.object({ identity: z.string(), build: z.string(), pools: list(z.string()), seenAt: z.string() }),
);
const version = shapeOf<VersionRow>()(z.object({ part: z.string(), version: z.string() }));
export const servicesNow = shapeOf<ServicesNow>()(
  z.object({
    ...{ services: list(service), pools: list(pool), poolsProblem: text },
    ...{ workers: list(worker), versions: list(version) },
  }),
);
export const serviceHistory = z.object({
  rows: list(z.object({ service: z.string(), at: z.string(), value: z.number() })),
});

const labels = z.record(z.string(), z.string());
const severity = z.enum(SEVERITIES);
const at = z.number();
export const episode = shapeOf<Episode>()(
  z.object({
    ...{ id: z.string(), fingerprint: z.string(), rule: z.string(), source: z.string(), severity, labels },
    ...{ summary: z.string(), value: z.number(), phase: z.enum(['pending', 'open', 'resolved']) },
    ...{ since: at, openedAt: figure, clearSince: figure, resolvedAt: figure, toldAt: figure },
    toldSeverity: severity.nullable(),
    acknowledged: z.object({ by: z.string(), at, note: z.string() }).nullable(),
    openings: list(at),
  }),
);
export const silence = shapeOf<Silence>()(
  z.object({
    ...{ id: z.string(), by: z.string(), reason: z.string(), from: at, until: at, rule: z.string(), labels },
  }),
);
const alertRow = shapeOf<AlertRow>()(
  z.object({
    ...{ at, change: z.string(), episode: text, fingerprint: text, rule: text, labels },
    ...{ severity: severity.nullable(), summary: z.string(), value: figure, openedAt: figure },
    ...{ by: text, channel: text, lagMs: figure },
  }),
);
const channelState = z.object({
  ...{ firstLagMs: figure, laterLagMs: figure, waiting: z.number(), waitingSince: figure },
});
export const alertOverview = shapeOf<AlertOverview>()(
  z.object({
    ...{ lastReportAt: at, open: list(episode), pending: list(episode), silences: list(silence) },
    ...{ failing: labels, channels: z.record(z.string(), channelState), recent: list(alertRow) },
  }),
);
