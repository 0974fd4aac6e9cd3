/** Holds a sample against the rules, and keeps it. */
import type { AlertPolicy } from '../../contracts/alerts.js';
import {
  SEVERITIES,
  type AlertSeverity,
  type Cycle,
  type Finding,
  type Judgement,
  type ProbeAnswer,
  type ProbeName,
} from '../../contracts/monitoring.js';
import { EVENT_TYPES, type EventEnvelope } from '../../contracts/events.js';
import { appendRows } from '../../delta/index.js';
import { activeRules, judge, type Sourced } from '../../monitoring/index.js';
import { checkpointIfDue } from '../checkpoint.js';
import type { LakeTables } from '../tables.js';
import type { MonitoringDeps } from './deps.js';
import { remember, takeOver } from './memory.js';
import { readOverrides } from './overrides.js';
import { recordSchema } from '../record-schema.js';

/** What one report carries at most, and how much is said of each in a storm: a payload is limited to two megabytes. */
const FINDINGS_MAX = 1000;
const STORM = 200;
const STORM_SUMMARY_MAX = 100;

export async function judgeSample(
  deps: MonitoringDeps,
  _cycle: Cycle,
  answers: readonly ProbeAnswer[],
): Promise<Judgement> {
  const { overrides, problem } = await readOverrides(deps.lake);
  const rules = activeRules(deps.config.monitoring.rules, overrides);
  const { sample, lost } = await sampleOf(deps, answers);
  const { findings } = judge(rules, sample);
  return {
    findings: carried(findings),
    left: Math.max(0, findings.length - FINDINGS_MAX),
    policy: policyOf(deps),
    ...(lost.length > 0 && { lost }),
    ...(problem !== null && { problems: [problem] }),
  };
}

/** The worst first, where not all of them can go. */
function carried(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= STORM) return findings;
  const rank = ({ severity }: Finding): number => -SEVERITIES.indexOf(severity);
  return [...findings]
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, FINDINGS_MAX)
    .map((finding) => ({ ...finding, summary: finding.summary.slice(0, STORM_SUMMARY_MAX) }));
}

/**
 * Every figure with its probe, and the probes themselves as figures. A probe whose figures lay in the lake and are not to be
 * had any more is one that failed: the others still count.
 */
async function sampleOf(
  deps: MonitoringDeps,
  answers: readonly ProbeAnswer[],
): Promise<{ readonly sample: readonly Sourced[]; readonly lost: readonly ProbeName[] }> {
  const lost: ProbeName[] = [];
  const taken = await Promise.all(
    answers.map(async (answer): Promise<Sourced[]> => {
      const { probe, ms } = answer;
      const probes = (up: boolean, detail: string): Sourced[] => [
        { metric: 'probe.up', labels: { probe }, value: up ? 1 : 0, detail, source: 'judge' },
        { metric: 'probe.ms', labels: { probe }, value: ms, source: 'judge' },
      ];
      try {
        const figures = await takeOver(deps.lake, answer);
        return [
          ...figures.map((figure) => ({ ...figure, source: probe })),
          ...probes(answer.up, answer.detail),
        ];
      } catch (error) {
        lost.push(probe);
        return probes(false, (error as Error).message);
      }
    }),
  );
  return { sample: taken.flat(), lost };
}

const secondsOf = (text: string): number => {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[text.slice(-1)] ?? 1;
  return Number(text.slice(0, -1)) * unit;
};

function policyOf(deps: MonitoringDeps): AlertPolicy {
  const { alerts, routes } = deps.config.monitoring;
  const names = deps.channels.map(({ name }) => name);
  const routed = SEVERITIES.map((severity): [AlertSeverity, readonly string[]] => [
    severity,
    names.filter((name) => routes[severity].includes('*') || routes[severity].includes(name)),
  ]);
  return {
    repeatSeconds: secondsOf(alerts.repeatAfter),
    floodCap: alerts.floodCap,
    floodWindowSeconds: secondsOf(alerts.floodWindow),
    flapOpenings: alerts.flapOpenings,
    flapWindowSeconds: secondsOf(alerts.flapWindow),
    flapHoldSeconds: secondsOf(alerts.flapHold),
    routes: Object.fromEntries(routed) as AlertPolicy['routes'],
  };
}

/** Three places, each by itself; what fails is returned, not thrown. */
export async function recordSample(
  deps: MonitoringDeps,
  tables: LakeTables,
  cycle: Cycle,
  answers: readonly ProbeAnswer[],
): Promise<readonly string[]> {
  const { sample } = await sampleOf(deps, answers);
  const problems = await Promise.all([
    reasonOf('meta.metrics', () => appendSample(deps, tables, cycle, sample)),
    reasonOf('datalab-metrics', () => sendSample(deps, cycle, answers, sample)),
    remember(deps.lake, 'latest', {
      at: cycle.at,
      probes: answers.map(({ probe, up, ms, detail, count }) => ({ probe, up, ms, detail, count })),
    }),
  ]);
  await deps.lake
    .delete(answers.flatMap(({ reference }) => (reference === null ? [] : [`_monitoring/${reference}.json`])))
    .catch(() => undefined);
  return problems.filter((problem) => problem !== undefined);
}

async function reasonOf(what: string, work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return `${what}: ${(error instanceof Error ? error.message : String(error)).slice(0, 300)}`;
  }
}

async function appendSample(
  deps: MonitoringDeps,
  tables: LakeTables,
  cycle: Cycle,
  sample: readonly Sourced[],
): Promise<void> {
  const table = tables.table('meta', 'metrics');
  const rows = sample.map(({ metric, labels, value, detail, source }) => ({
    at: cycle.at,
    metric,
    labels: JSON.stringify(labels),
    value,
    detail: detail ?? null,
    probe: source,
    cycle_id: cycle.id,
  }));
  // One transaction that only moves forward: a repetition of this cycle appends nothing.
  const transaction = { appId: 'datalab:metrics', version: Date.parse(cycle.at) };
  await appendRows(table, deps.rowParquet, rows, { schema: METRICS, transaction });
  await checkpointIfDue(deps, table);
}

const METRICS = recordSchema({
  at: 'timestamp',
  metric: 'string',
  labels: 'string',
  value: 'double',
  detail: 'string',
  probe: 'string',
  cycle_id: 'string',
});

/** Figures that one event carries; a broker refuses messages of more than a megabyte. */
const PER_EVENT = 2000;

async function sendSample(
  deps: MonitoringDeps,
  cycle: Cycle,
  answers: readonly ProbeAnswer[],
  sample: readonly Sourced[],
): Promise<void> {
  if (!deps.events) return;
  const parts = Math.max(1, Math.ceil(sample.length / PER_EVENT));
  const events = Array.from({ length: parts }, (_, part): EventEnvelope<unknown> => ({
    specversion: '1.0',
    id: `sample:${cycle.id}:${part}`,
    source: deps.lake.uri,
    type: EVENT_TYPES.sample,
    subject: 'platform',
    time: cycle.at,
    datacontenttype: 'application/json',
    data: {
      part,
      parts,
      probes: answers.map(({ probe, up, ms, detail }) => ({ probe, up, ms, detail })),
      measurements: sample
        .slice(part * PER_EVENT, (part + 1) * PER_EVENT)
        .map(({ metric, labels, value, detail }) => ({
          metric,
          labels,
          value,
          ...(detail !== undefined && { detail }),
        })),
    },
  }));
  await deps.events.send(deps.config.kafka.topics.metrics, events);
}
