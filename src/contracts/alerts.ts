/** Alert episodes: what is open, what was told, what people said about it. Times are milliseconds since the epoch. */
import type { AlertSeverity, Finding, Labels } from './monitoring.js';

/** One alert from its first sighting to its end. */
export interface Episode {
  /** Names this episode; the next one of the same fingerprint has another. */
  readonly id: string;
  readonly fingerprint: string;
  readonly rule: string;
  readonly source: string;
  readonly severity: AlertSeverity;
  readonly labels: Labels;
  readonly summary: string;
  readonly value: number;
  /** `pending`: seen, but not for long enough. `resolved` ones are kept a while, to notice flapping. */
  readonly phase: 'pending' | 'open' | 'resolved';
  readonly since: number;
  readonly openedAt: number | null;
  /** Since when it is no longer seen while still open. */
  readonly clearSince: number | null;
  readonly resolvedAt: number | null;
  /** When people were last told, and at which severity; null: never in this episode. */
  readonly toldAt: number | null;
  readonly toldSeverity: AlertSeverity | null;
  readonly acknowledged: Acknowledgement | null;
  /** When this fingerprint opened lately, this episode included. */
  readonly openings: readonly number[];
}

export interface Acknowledgement {
  readonly by: string;
  readonly at: number;
  readonly note: string;
}

/** Nothing that matches is told until it ends. */
export interface Silence {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly from: number;
  readonly until: number;
  /** Rule name or pattern with `*`. */
  readonly rule: string;
  /** Label → pattern, as in rules. */
  readonly labels: Labels;
}

/** How episodes are told. Arrives with every report, so that a changed configuration counts at once. */
export interface AlertPolicy {
  /** An open alert that nobody acknowledged is told again after this long; 0: never. */
  readonly repeatSeconds: number;
  /** Most single messages below `critical` in the window; more become one digest. */
  readonly floodCap: number;
  readonly floodWindowSeconds: number;
  /** An alert that opened this often within the window flaps. */
  readonly flapOpenings: number;
  readonly flapWindowSeconds: number;
  /** A flapping alert resolves when it was not seen for this long. */
  readonly flapHoldSeconds: number;
  /** Channels by severity, already resolved to names. */
  readonly routes: Readonly<Record<AlertSeverity, readonly string[]>>;
}

/** What one cycle reports. */
export interface AlertReport {
  readonly at: number;
  readonly findings: readonly Finding[];
  /** Sources that measured: their alerts that are no longer found are over. */
  readonly measured: readonly string[];
  readonly policy: AlertPolicy;
}

export type AlertChange = 'opened' | 'updated' | 'resolved' | 'repeated';

export interface Transition {
  readonly change: AlertChange;
  readonly at: number;
  readonly episode: Episode;
  /** Why nobody is told, or null. */
  readonly muted: 'silenced' | null;
}

/** One message for people and machines; a digest is about many episodes. */
export interface AlertMessage {
  readonly id: string;
  readonly change: AlertChange | 'digest';
  readonly at: number;
  readonly severity: AlertSeverity;
  readonly title: string;
  readonly text: string;
  /** How many episodes it is about; the first of them are in `episodes`. */
  readonly count: number;
  readonly episodes: ReadonlyArray<
    Pick<Episode, 'id' | 'fingerprint' | 'rule' | 'severity' | 'labels' | 'summary' | 'value' | 'openedAt'>
  >;
}

/** One row of `meta.alerts`. */
export interface AlertRow {
  readonly at: number;
  readonly change: AlertChange | 'acknowledged' | 'silenced' | 'unsilenced' | 'delivered' | 'undelivered';
  readonly episode: string | null;
  readonly fingerprint: string | null;
  readonly rule: string | null;
  readonly severity: AlertSeverity | null;
  readonly labels: Labels;
  readonly summary: string;
  readonly value: number | null;
  readonly openedAt: number | null;
  readonly by: string | null;
  readonly channel: string | null;
  /** From the change to the delivery. */
  readonly lagMs: number | null;
}

/** What the manager is, between two reports and across continue-as-new. */
export interface AlertState {
  readonly lastReportAt: number;
  readonly episodes: Readonly<Record<string, Episode>>;
  readonly silences: readonly Silence[];
  /** When single messages were sent lately, for the flood cap. */
  readonly sent: readonly number[];
  /** Numbers episodes and messages. */
  readonly sequence: number;
}

/** How alerts go out over one channel: of the time since the last report, in milliseconds. */
export interface ChannelState {
  /** Longest time from a change to its delivery, of messages that were taken at once; null where there were none. */
  readonly firstLagMs: number | null;
  /** The same of messages that it did not take before, and that were kept for it. */
  readonly laterLagMs: number | null;
  /** Messages that it has not taken yet, and since when the oldest of them waits. */
  readonly waiting: number;
  readonly waitingSince: number | null;
}

/** What the query answers. */
export interface AlertOverview {
  readonly lastReportAt: number;
  readonly open: readonly Episode[];
  readonly pending: readonly Episode[];
  readonly silences: readonly Silence[];
  /** Channels that could not deliver, with the reason. */
  readonly failing: Readonly<Record<string, string>>;
  /** Channels that something was sent over, by name. */
  readonly channels: Readonly<Record<string, ChannelState>>;
  /** Newest first. */
  readonly recent: readonly AlertRow[];
}

/** The one alert manager of a namespace, and how to talk to it. */
export const ALERT_MANAGER = Object.freeze({
  workflowId: 'datalab-alert-manager',
  report: 'report',
  acknowledge: 'acknowledge',
  silence: 'silence',
  unsilence: 'unsilence',
  overview: 'overview',
} as const);

/** Of the update `acknowledge`. `alert` is an episode's id or fingerprint. */
export interface AcknowledgeRequest {
  readonly alert: string;
  readonly by: string;
  readonly note: string;
}

/** Of the update `silence`. */
export interface SilenceRequest {
  readonly by: string;
  readonly reason: string;
  readonly until: number;
  readonly rule: string;
  readonly labels: Labels;
}

/** Whether a text matches a pattern: `*` stands for any text, a leading `!` for everything but. */
export function matchesPattern(text: string, pattern: string): boolean {
  if (pattern.startsWith('!')) return !matchesPattern(text, pattern.slice(1));
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(text);
}

/** Whether labels match patterns; a label that is missing counts as an empty text. */
export function matchesLabels(labels: Labels, patterns: Labels): boolean {
  return Object.entries(patterns).every(([name, pattern]) => matchesPattern(labels[name] ?? '', pattern));
}
