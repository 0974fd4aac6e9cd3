/**
 * The one keeper of alerts: takes the findings of every monitoring cycle in, tells people over the channels, keeps what
 * they say about it. It never ends; it continues as new before its history grows large, and survives restarts like any
 * other workflow.
 *
 * Guarantees: an episode is told as opened once and as resolved once per channel that works; a channel that fails holds
 * up no other one, keeps its messages for the next try, and raises an alert on the others.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ALERT_MANAGER,
  type AcknowledgeRequest,
  type AlertMessage,
  type AlertOverview,
  type AlertPolicy,
  type AlertReport,
  type AlertRow,
  type AlertState,
  type ChannelState,
  type Episode,
  type Silence,
  type SilenceRequest,
} from '../contracts/alerts.js';
import { SEVERITIES, type Finding, type MonitoringActivities } from '../contracts/monitoring.js';
import { messagesOf, rowOf } from './alert-messages.js';
import { NO_ALERTS, step } from './episodes.js';
import { activityOptions, ALERT_DELIVERY, ALERT_RECORD } from './policies.js';

export const reportSignal = defineSignal<[AlertReport]>(ALERT_MANAGER.report);
export const acknowledgeUpdate = defineUpdate<Episode, [AcknowledgeRequest]>(ALERT_MANAGER.acknowledge);
export const silenceUpdate = defineUpdate<Silence, [SilenceRequest]>(ALERT_MANAGER.silence);
export const unsilenceUpdate = defineUpdate<Silence, [string, string]>(ALERT_MANAGER.unsilence);
export const overviewQuery = defineQuery<AlertOverview>(ALERT_MANAGER.overview);

/** What goes over from one execution to the next. */
export interface AlertManagerInput {
  readonly state: AlertState;
  /** Messages that a channel did not take yet. */
  readonly undelivered: Readonly<Record<string, readonly AlertMessage[]>>;
  readonly failing: Readonly<Record<string, string>>;
  /** Absent in what an earlier version of the program hands over. */
  readonly channels?: Readonly<Record<string, ChannelState>>;
  readonly unrecorded: readonly AlertRow[];
  readonly recent: readonly AlertRow[];
  readonly records: number;
  /** Reports that came in and were not taken yet. */
  readonly reports?: readonly AlertReport[];
}

const EVENTS_MAX = 2000;
const KEPT_MAX = 200;
const RECENT_MAX = 100;
const SILENCES_MAX = 100;
/** A storm has a thousand rows of up to a kilobyte, and Temporal takes payloads of two megabytes. */
const ROWS_AT_ONCE = 500;
const CARRIED_MAX = 300;

const { deliverAlerts } = proxyActivities<MonitoringActivities>(
  activityOptions('monitoring', ALERT_DELIVERY),
);
const { recordAlerts } = proxyActivities<MonitoringActivities>(activityOptions('monitoring', ALERT_RECORD));

export async function alertManager(input?: AlertManagerInput): Promise<void> {
  const manager = new Manager(input);
  const reports: AlertReport[] = [...(input?.reports ?? [])];
  setHandler(reportSignal, (report) => void reports.push(report));
  setHandler(overviewQuery, () => manager.overview());
  setHandler(acknowledgeUpdate, (request) => manager.acknowledge(request));
  setHandler(silenceUpdate, (request) => manager.silence(request));
  setHandler(unsilenceUpdate, (id, by) => manager.unsilence(id, by));
  const isFull = (): boolean =>
    workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > EVENTS_MAX;
  for (;;) {
    await condition(() => reports.length > 0 || manager.hasRows() || isFull());
    // Reports that go on coming must not keep a full history from ending: the newest goes over to the next execution. It
    // tells the whole of what was found, so nothing is missed but the moments in between.
    while (reports.length > 0 && !isFull()) await manager.take(reports.shift() as AlertReport);
    await manager.record();
    if (!isFull()) continue;
    await condition(allHandlersFinished);
    await continueAsNew<typeof alertManager>({ ...manager.forNext(), reports: reports.slice(-1) });
  }
}

class Manager {
  private state: AlertState;
  private undelivered: Record<string, readonly AlertMessage[]>;
  private failing: Record<string, string>;
  private channels: Record<string, ChannelState>;
  private unrecorded: AlertRow[];
  private recent: readonly AlertRow[];
  private records: number;
  /** Set by what is new, so that rows that the lake refused wait for the next report instead of being tried at once. */
  private fresh = false;

  constructor(input?: AlertManagerInput) {
    this.state = input?.state ?? NO_ALERTS;
    this.undelivered = { ...input?.undelivered };
    this.failing = { ...input?.failing };
    this.channels = { ...input?.channels };
    this.unrecorded = [...(input?.unrecorded ?? [])];
    this.recent = input?.recent ?? [];
    this.records = input?.records ?? 0;
  }

  forNext(): AlertManagerInput {
    const { state, undelivered, failing, channels, unrecorded, recent, records } = this;
    // What goes over is one payload: of rows that the lake did not take, the newest.
    const rows = unrecorded.slice(-CARRIED_MAX);
    return { state, undelivered, failing, channels, unrecorded: rows, recent, records };
  }

  hasRows(): boolean {
    return this.fresh;
  }

  overview(): AlertOverview {
    const episodes = Object.values(this.state.episodes);
    return {
      lastReportAt: this.state.lastReportAt,
      open: episodes.filter(({ phase }) => phase === 'open'),
      pending: episodes.filter(({ phase }) => phase === 'pending'),
      silences: this.state.silences.filter(({ until }) => until > Date.now()),
      failing: this.failing,
      channels: this.channels,
      recent: this.recent,
    };
  }

  /** A report that is repeated, or late behind a newer one, says nothing new. */
  async take(report: AlertReport): Promise<void> {
    if (report.at <= this.state.lastReportAt) return;
    this.state = { ...this.state, lastReportAt: report.at };
    // Lags are those since the last report.
    for (const [channel, known] of Object.entries(this.channels))
      this.channels[channel] = { ...known, firstLagMs: null, laterLagMs: null };
    const messages = this.advance(report);
    await this.tell(messages, report.policy);
    // A channel that failed or works again is an alert like any other, told at once over those that work.
    const channels = this.channelReport(report);
    await this.tell(this.advance(channels), report.policy);
    this.fresh = this.fresh || this.unrecorded.length > 0;
  }

  private advance(report: AlertReport): readonly AlertMessage[] {
    const stepped = step(this.state, report);
    this.note(stepped.transitions.map(rowOf));
    const { state, messages } = messagesOf(stepped.state, stepped.transitions, report.at, report.policy);
    this.state = state;
    return messages;
  }

  private channelReport({ at, policy }: AlertReport): AlertReport {
    // A broker that is down is an alert of its own; that nothing is told over it follows from that.
    const brokerDown = Object.values(this.state.episodes).some(
      ({ rule, labels, phase }) =>
        rule === 'probe_failed' && labels['probe'] === 'kafka' && phase !== 'resolved',
    );
    const findings = Object.entries(this.failing)
      .filter(([channel]) => !(channel === 'kafka' && brokerDown))
      .map(([channel, reason]): Finding => ({
        fingerprint: `channel_down{channel=${channel}}`,
        rule: 'channel_down',
        source: 'alerts',
        severity: 'error',
        labels: { channel },
        value: 0,
        summary: `alerts do not go out over ${channel}: ${reason}`.slice(0, 300),
        forSeconds: 0,
      }));
    return { at, policy, findings, measured: ['alerts'] };
  }

  /** Every channel by itself, side by side; what a channel kept back goes first. */
  private async tell(messages: readonly AlertMessage[], policy: AlertPolicy): Promise<void> {
    const channels = new Set(SEVERITIES.flatMap((severity) => policy.routes[severity]));
    for (const gone of Object.keys(this.failing).filter((channel) => !channels.has(channel))) {
      delete this.failing[gone];
      delete this.undelivered[gone];
    }
    for (const gone of Object.keys(this.channels).filter((channel) => !channels.has(channel))) {
      delete this.channels[gone];
    }
    await Promise.all([...channels].map((channel) => this.tellOver(channel, messages, policy)));
  }

  private async tellOver(
    channel: string,
    messages: readonly AlertMessage[],
    { routes }: AlertPolicy,
  ): Promise<void> {
    const kept = this.undelivered[channel] ?? [];
    const due = [
      ...kept,
      ...messages.filter(
        ({ severity, episodes }) =>
          // That a channel fails is not told over itself.
          routes[severity].includes(channel) &&
          !episodes.every(({ labels }) => labels['channel'] === channel),
      ),
    ].slice(-KEPT_MAX);
    if (due.length === 0) return;
    try {
      await deliverAlerts(channel, due);
      this.channels[channel] = delivered(this.channels[channel], kept, due, Date.now());
      delete this.undelivered[channel];
      delete this.failing[channel];
      this.note(due.map((message) => deliveryRow(message, channel, 'delivered', '')));
    } catch (error) {
      const reason = reasonOf(error);
      this.note(
        due
          .filter(({ id }) => !kept.some((known) => known.id === id))
          .map((message) => deliveryRow(message, channel, 'undelivered', reason)),
      );
      this.undelivered[channel] = due;
      this.failing[channel] = reason;
      this.channels[channel] = {
        ...(this.channels[channel] ?? NO_LAGS),
        ...{ waiting: due.length, waitingSince: due[0]?.at ?? null },
      };
    }
  }

  acknowledge({ alert, by, note }: AcknowledgeRequest): Episode {
    const found = Object.values(this.state.episodes).find(
      ({ id, fingerprint, phase }) => phase === 'open' && (id === alert || fingerprint === alert),
    );
    if (!found) throw refuse('ALERT_UNKNOWN', `no alert '${alert}' is open`);
    const at = Date.now();
    const episode: Episode = { ...found, acknowledged: { by, at, note } };
    this.state = {
      ...this.state,
      episodes: { ...this.state.episodes, [episode.fingerprint]: episode },
    };
    this.note([{ ...rowOf({ change: 'updated', at, episode, muted: null }), change: 'acknowledged', by }]);
    this.fresh = true;
    return episode;
  }

  silence({ by, reason, until, rule, labels }: SilenceRequest): Silence {
    const from = Date.now();
    if (until <= from) throw refuse('INPUT_INVALID', 'a silence ends in the future');
    if (this.state.silences.length >= SILENCES_MAX)
      throw refuse('INPUT_INVALID', `there are ${SILENCES_MAX} silences already; end one first`);
    const sequence = this.state.sequence + 1;
    const silence: Silence = { id: `s${sequence}`, by, reason, from, until, rule, labels };
    this.state = { ...this.state, sequence, silences: [...this.state.silences, silence] };
    this.noteSilence('silenced', silence, by, from);
    return silence;
  }

  unsilence(id: string, by: string): Silence {
    const silence = this.state.silences.find((known) => known.id === id);
    if (!silence) throw refuse('ALERT_UNKNOWN', `there is no silence '${id}'`);
    this.state = { ...this.state, silences: this.state.silences.filter((known) => known.id !== id) };
    this.noteSilence('unsilenced', silence, by, Date.now());
    return silence;
  }

  private noteSilence(change: 'silenced' | 'unsilenced', silence: Silence, by: string, at: number): void {
    const { rule, labels, reason } = silence;
    this.note([{ ...NOTHING, at, change, rule, labels, summary: reason, by }]);
    this.fresh = true;
  }

  private note(rows: readonly AlertRow[]): void {
    if (rows.length === 0) return;
    this.unrecorded = [...this.unrecorded, ...rows].slice(-10 * KEPT_MAX);
    this.recent = [...rows].reverse().concat(this.recent).slice(0, RECENT_MAX);
  }

  /** Appends what happened to `meta.alerts`. A lake that does not take it gets it with the next report. */
  async record(): Promise<void> {
    this.fresh = false;
    while (this.unrecorded.length > 0) {
      const rows = this.unrecorded.slice(0, ROWS_AT_ONCE);
      this.unrecorded = this.unrecorded.slice(ROWS_AT_ONCE);
      try {
        await recordAlerts(rows, this.records + 1);
        this.records += 1;
      } catch {
        this.unrecorded = [...rows, ...this.unrecorded].slice(-10 * KEPT_MAX);
        return;
      }
    }
  }
}

const NO_LAGS = { firstLagMs: null, laterLagMs: null } as const;

/** The state of a channel that has taken all of `due`, of which it had refused `kept` before. */
function delivered(
  before: ChannelState | undefined,
  kept: readonly AlertMessage[],
  due: readonly AlertMessage[],
  now: number,
): ChannelState {
  const longest = (known: number | null | undefined, messages: readonly AlertMessage[]): number | null =>
    messages.reduce<number | null>((most, { at }) => Math.max(most ?? 0, now - at), known ?? null);
  return {
    firstLagMs: longest(
      before?.firstLagMs,
      due.filter(({ id }) => !kept.some((known) => known.id === id)),
    ),
    laterLagMs: longest(before?.laterLagMs, kept),
    ...{ waiting: 0, waitingSince: null },
  };
}

const NOTHING = {
  episode: null,
  fingerprint: null,
  rule: null,
  severity: null,
  labels: {},
  value: null,
  openedAt: null,
  by: null,
  channel: null,
  lagMs: null,
} as const;

function deliveryRow(
  { id, at, severity, title, episodes }: AlertMessage,
  channel: string,
  change: 'delivered' | 'undelivered',
  reason: string,
): AlertRow {
  const [first] = episodes;
  const now = Date.now();
  return {
    ...NOTHING,
    at: now,
    change,
    episode: first?.id ?? null,
    fingerprint: first?.fingerprint ?? null,
    rule: first?.rule ?? null,
    severity,
    summary: `${id} ${title}${reason === '' ? '' : `: ${reason}`}`.slice(0, 500),
    channel,
    lagMs: Math.max(0, now - at),
  };
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 200);
}

function refuse(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
