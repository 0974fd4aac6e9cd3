/**
 * One cycle: every probe at once, each with its own limits; then the sample is judged, recorded, and its findings handed
 * to the alert manager.
 *
 * Guarantees: a probe that fails or hangs is an answer, not an end; findings are reported even where the lake does not
 * take the sample. History is bounded by the number of probes.
 */
import { ActivityFailure, patched, proxyActivities, workflowInfo } from '@temporalio/workflow';
import {
  PROBES,
  type Cycle,
  type MonitoringActivities,
  type MonitoringSummary,
  type ProbeAnswer,
  type ProbeName,
} from '../contracts/monitoring.js';
import { activityOptions, ALERT_REPORT, PROBE, SAMPLE } from './policies.js';

const SEEN_MAX = 50;

export async function platformMonitoring(): Promise<MonitoringSummary> {
  const { runId, startTime } = workflowInfo();
  const cycle: Cycle = { id: runId, at: startTime.toISOString() };
  const probes = proxyActivities<MonitoringActivities>(activityOptions('monitoring', PROBE));
  const calls: Record<ProbeName, Promise<ProbeAnswer>> = {
    kafka: probes.probeKafka(cycle),
    lake: probes.probeLake(cycle),
    services: probes.probeServices(cycle),
    schedules: probes.probeSchedules(cycle),
    relay: probes.relayAll(cycle),
  };
  const answers = await Promise.all(
    PROBES.map((probe) => calls[probe].catch((error: unknown) => downOf(probe, error))),
  );

  const { judgeSample, recordSample, takeLogs, breakCircuits, beatHeart } =
    proxyActivities<MonitoringActivities>(activityOptions('monitoring', SAMPLE));
  const { reportFindings } = proxyActivities<MonitoringActivities>(
    activityOptions('monitoring', ALERT_REPORT),
  );
  const problems: string[] = [];
  const unless = async (what: string, doing: Promise<readonly string[] | void>): Promise<void> => {
    try {
      problems.push(...((await doing) ?? []).map((problem) => `${what}: ${problem}`));
    } catch (error) {
      problems.push(`${what}: ${reasonOf(error)}`);
    }
  };
  const judgement = await judgeSample(cycle, answers);
  const { findings, policy, left, lost = [] } = judgement;
  problems.push(...(judgement.problems ?? []));
  if (left > 0) problems.push(`${left} findings beyond the most that one report carries`);
  const measured = [
    'judge',
    ...answers.filter(({ up, probe }) => up && !lost.includes(probe)).map(({ probe }) => probe),
  ];
  await Promise.all([
    unless('alerts', reportFindings({ at: Date.parse(cycle.at), findings, measured, policy })),
    unless('record', recordSample(cycle, answers)),
    unless(
      'circuit breaker',
      breakCircuits(cycle).then(() => undefined),
    ),
    ...(patched('take-logs')
      ? [
          unless(
            'logs',
            takeLogs(cycle).then(() => undefined),
          ),
        ]
      : []),
  ]);
  await unless('heartbeat', beatHeart(cycle));
  return {
    cycle,
    probes: answers.map(({ measurements: _, ...answer }) => answer),
    ...seenIn(answers),
    findings: findings
      .slice(0, 100)
      .map(({ fingerprint, severity, summary }) => ({ fingerprint, severity, summary })),
    problems: problems.map((problem) => problem.slice(0, 500)),
  };
}

/** The services and pools of the services' probe, for a first look. */
function seenIn(answers: readonly ProbeAnswer[]): Pick<MonitoringSummary, 'services' | 'pools'> {
  const figures = answers.find(({ probe }) => probe === 'services')?.measurements ?? [];
  const valueOf = (metric: string, label: string, name: string): number | null =>
    figures.find((one) => one.metric === metric && one.labels[label] === name)?.value ?? null;
  return {
    services: figures
      .filter(({ metric }) => metric === 'service.up')
      .slice(0, SEEN_MAX)
      .map(({ labels: { service = '' }, value, detail = '' }) => ({
        ...{ service, up: value === 1, detail: detail.slice(0, 200) },
        ms: valueOf('service.response_ms', 'service', service),
      })),
    pools: figures
      .filter(({ metric }) => metric === 'pool.pollers')
      .map(({ labels: { pool = '' }, value }) => ({
        ...{ pool, pollers: value, backlog: valueOf('pool.backlog', 'pool', pool) ?? 0 },
      })),
  };
}

function downOf(probe: ProbeName, error: unknown): ProbeAnswer {
  return { probe, up: false, ms: 0, detail: reasonOf(error), count: 0, measurements: [], reference: null };
}

function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure && error.cause ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 300);
}
