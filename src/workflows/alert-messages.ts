/** What people are told of transitions: one message for all of a rule, or one digest where there are too many. Pure. */
import type {
  AlertMessage,
  AlertPolicy,
  AlertRow,
  AlertState,
  Episode,
  Transition,
} from '../contracts/alerts.js';
import { isWorse } from './episodes.js';

const NAMED_MAX = 20;

/** The messages of one step, and the state that remembers that they were sent. */
export function messagesOf(
  state: AlertState,
  transitions: readonly Transition[],
  at: number,
  policy: AlertPolicy,
): { readonly state: AlertState; readonly messages: readonly AlertMessage[] } {
  const told = transitions.filter(({ muted }) => muted === null);
  const urgent = told.filter(({ episode }) => episode.severity === 'critical');
  const others = told.filter(({ episode }) => episode.severity !== 'critical');
  const lately = state.sent.filter((time) => at - time < policy.floodWindowSeconds * 1000);
  const flood = lately.length + others.length > policy.floodCap;
  let { sequence } = state;
  const id = (): string => `m${++sequence}`;
  const groups = grouped(others);
  const messages = [
    ...grouped(urgent).map((group) => messageOf(group, id())),
    ...(flood ? digest(others, at, id()) : groups.map((group) => messageOf(group, id()))),
  ];
  const sent = flood ? lately : [...lately, ...groups.map(() => at)];
  return { state: { ...state, sent, sequence }, messages };
}

/** What happened to alerts of one rule at one severity in one report is told together. */
function grouped(transitions: readonly Transition[]): ReadonlyArray<readonly [Transition, ...Transition[]]> {
  const groups = new Map<string, [Transition, ...Transition[]]>();
  for (const transition of transitions) {
    const { change, episode } = transition;
    const key = `${change} ${episode.rule} ${episode.severity}`;
    const group = groups.get(key);
    if (group) group.push(transition);
    else groups.set(key, [transition]);
  }
  return [...groups.values()];
}

function messageOf(group: readonly [Transition, ...Transition[]], id: string): AlertMessage {
  const [first, ...more] = group;
  if (more.length === 0) return single(first, id);
  const { change, at, episode } = first;
  const { severity, rule } = episode;
  const episodes = group.slice(0, NAMED_MAX).map((one) => one.episode);
  const unnamed = group.length > NAMED_MAX ? [`and ${group.length - NAMED_MAX} more`] : [];
  return {
    ...{ id, change, at, severity, count: group.length },
    title: `[${severity}] ${group.length} × ${rule} ${WORDS[change]}`,
    text: [...episodes.map(({ summary }) => summary), ...unnamed].join('\n'),
    episodes: episodes.map(brief),
  };
}

const WORDS = { opened: 'opened', updated: 'changed', resolved: 'resolved', repeated: 'still open' } as const;

function single({ change, at, episode }: Transition, id: string): AlertMessage {
  const { severity, rule, summary, openedAt, resolvedAt } = episode;
  const lasted = openedAt !== null && resolvedAt !== null ? ` after ${duration(resolvedAt - openedAt)}` : '';
  return {
    id,
    change,
    at,
    severity,
    title: `[${severity}] ${rule} ${WORDS[change]}${lasted}`,
    text: summary,
    count: 1,
    episodes: [brief(episode)],
  };
}

function digest(transitions: readonly Transition[], at: number, id: string): AlertMessage[] {
  if (transitions.length === 0) return [];
  const episodes = transitions.map(({ episode }) => episode);
  const severity = episodes.reduce(
    (worst, { severity: one }) => (isWorse(one, worst) ? one : worst),
    'info' as Episode['severity'],
  );
  const counts = new Map<string, number>();
  for (const { change, episode } of transitions) {
    const key = `${episode.rule} ${WORDS[change]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const lines = [...counts].sort(([, a], [, b]) => b - a).map(([key, count]) => `${count} × ${key}`);
  return [
    {
      id,
      change: 'digest',
      at,
      severity,
      title: `[${severity}] ${transitions.length} alerts at once`,
      text: lines.slice(0, NAMED_MAX).join('; '),
      count: transitions.length,
      episodes: episodes.slice(0, NAMED_MAX).map(brief),
    },
  ];
}

function brief({
  id,
  fingerprint,
  rule,
  severity,
  labels,
  summary,
  value,
  openedAt,
}: Episode): AlertMessage['episodes'][number] {
  return { id, fingerprint, rule, severity, labels, summary, value, openedAt };
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** The row of `meta.alerts` for a transition. */
export function rowOf({ change, at, episode, muted }: Transition): AlertRow {
  const { id, fingerprint, rule, severity, labels, summary, value, openedAt } = episode;
  return {
    ...{ at, change, episode: id, fingerprint, rule, severity, labels, summary, value, openedAt },
    ...{ by: muted, channel: null, lagMs: null },
  };
}
