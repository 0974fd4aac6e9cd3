/**
 * The life of alert episodes as a pure state machine: seen → open (once) → updated → resolved (once). Every workflow
 * task replays it, so it knows no clock but the times of its reports.
 *
 * Guarantees, held by property tests: an episode opens at most once and resolves at most once, in that order; it opens
 * only after it was seen without a break for its minimum duration; a report that is repeated changes nothing.
 */
import {
  matchesLabels,
  matchesPattern,
  type AlertPolicy,
  type AlertReport,
  type AlertState,
  type Episode,
  type Silence,
  type Transition,
} from '../contracts/alerts.js';
import { SEVERITIES, type AlertSeverity, type Finding } from '../contracts/monitoring.js';

export const NO_ALERTS: AlertState = Object.freeze({
  lastReportAt: 0,
  episodes: {},
  silences: [],
  sent: [],
  sequence: 0,
});

export function isWorse(a: AlertSeverity, b: AlertSeverity): boolean {
  return SEVERITIES.indexOf(a) > SEVERITIES.indexOf(b);
}

/** Takes one report in. Only sources that measured can end an alert; of what was not measured nothing is known. */
export function step(
  state: AlertState,
  report: AlertReport,
): { readonly state: AlertState; readonly transitions: readonly Transition[] } {
  const { at, policy } = report;
  const silences = state.silences.filter(({ until }) => until > at);
  const findings = new Map(report.findings.map((finding) => [finding.fingerprint, finding]));
  const measured = new Set(report.measured);
  const transitions: Transition[] = [];
  const episodes: Record<string, Episode> = {};
  let { sequence } = state;

  const silent = (episode: Episode): boolean => isSilenced(episode, silences);
  const say: Say = (change, episode) => {
    // Whoever was not told of an alert is not told of its end either.
    const unknown = change === 'resolved' && episode.toldAt === null;
    const muted = silent(episode) || unknown ? ('silenced' as const) : null;
    const told = muted ? episode : { ...episode, toldAt: at, toldSeverity: episode.severity };
    transitions.push({ change, at, episode: told, muted });
    return told;
  };

  for (const known of Object.values(state.episodes)) {
    const finding = findings.get(known.fingerprint);
    if (finding) continue;
    const next = measured.has(known.source) ? cleared(known, at, policy, say) : known;
    if (next) episodes[known.fingerprint] = next;
  }
  for (const finding of findings.values()) {
    const known = state.episodes[finding.fingerprint];
    const current =
      known && known.phase !== 'resolved'
        ? { ...known, ...facts(finding), clearSince: null }
        : begin(finding, at, `a${++sequence}`, known?.openings ?? []);
    episodes[finding.fingerprint] = seen(current, finding, { at, policy, say, silent });
  }
  return { state: { ...state, silences, episodes, sequence }, transitions };
}

type Say = (change: Transition['change'], episode: Episode) => Episode;

function begin(finding: Finding, at: number, id: string, openings: readonly number[]): Episode {
  return {
    id,
    ...facts(finding),
    phase: 'pending',
    since: at,
    openedAt: null,
    clearSince: null,
    resolvedAt: null,
    toldAt: null,
    toldSeverity: null,
    acknowledged: null,
    openings,
  };
}

function facts({ fingerprint, rule, source, severity, labels, summary, value }: Finding) {
  return { fingerprint, rule, source, severity, labels, summary, value };
}

interface Moment {
  readonly at: number;
  readonly policy: AlertPolicy;
  readonly say: Say;
  readonly silent: (episode: Episode) => boolean;
}

function seen(episode: Episode, finding: Finding, { at, policy, say, silent }: Moment): Episode {
  if (episode.phase === 'pending') {
    if (at - episode.since < finding.forSeconds * 1000) return episode;
    const openings = [...episode.openings.filter((time) => at - time < policy.flapWindowSeconds * 1000), at];
    return say('opened', { ...episode, phase: 'open', openedAt: at, openings });
  }
  if (silent(episode)) return episode;
  // What a silence kept back is told when it ends.
  if (episode.toldAt === null || episode.toldSeverity === null) return say('updated', episode);
  if (isWorse(episode.severity, episode.toldSeverity))
    return say('updated', { ...episode, acknowledged: null });
  if (episode.severity !== episode.toldSeverity) return say('updated', episode);
  const due = policy.repeatSeconds > 0 && at - episode.toldAt >= policy.repeatSeconds * 1000;
  return due && episode.acknowledged === null ? say('repeated', episode) : episode;
}

function cleared(episode: Episode, at: number, policy: AlertPolicy, say: Say): Episode | undefined {
  if (episode.phase === 'pending') {
    // It went away before it opened; its earlier openings still count for flapping.
    const lately = episode.openings.some((time) => at - time < policy.flapWindowSeconds * 1000);
    return lately ? { ...episode, phase: 'resolved', resolvedAt: at } : undefined;
  }
  if (episode.phase === 'resolved') {
    const newest = Math.max(0, ...episode.openings);
    return at - newest < policy.flapWindowSeconds * 1000 ? episode : undefined;
  }
  const clearSince = episode.clearSince ?? at;
  const flaps = episode.openings.length >= policy.flapOpenings;
  if (flaps && at - clearSince < policy.flapHoldSeconds * 1000) return { ...episode, clearSince };
  const resolved: Episode = { ...episode, phase: 'resolved', clearSince, resolvedAt: at };
  return say('resolved', resolved);
}

function isSilenced(episode: Episode, silences: readonly Silence[]): boolean {
  return silences.some(
    ({ rule, labels }) => matchesPattern(episode.rule, rule) && matchesLabels(episode.labels, labels),
  );
}
