/** Sends alerts over channels, and appends what became of them to `meta.alerts`. */
import type { AlertMessage, AlertRow } from '../../contracts/alerts.js';
import { EVENT_TYPES, type EventEnvelope, type EventSink } from '../../contracts/events.js';
import type { AlertChannel } from '../../connectors/channels/index.js';
import { appendRows } from '../../delta/index.js';
import { checkpointIfDue } from '../checkpoint.js';
import type { LakeTables } from '../tables.js';
import type { MonitoringDeps } from './deps.js';
import { recordSchema } from '../record-schema.js';

export async function deliverAlerts(
  deps: MonitoringDeps,
  name: string,
  messages: readonly AlertMessage[],
): Promise<void> {
  const channel = deps.channels.find((one) => one.name === name);
  if (!channel) throw new Error(`there is no channel '${name}' in the configuration of this worker`);
  await channel.send(messages);
}

/** CloudEvents on the alerts topic, keyed by what they are about. */
export function kafkaChannel(sink: EventSink, topic: string, source: string): AlertChannel {
  return {
    name: 'kafka',
    send: (messages) =>
      sink.send(
        topic,
        messages.map((message) => eventOf(message, source)),
      ),
  };
}

function eventOf(message: AlertMessage, source: string): EventEnvelope<unknown> {
  return {
    specversion: '1.0',
    id: `alert:${message.id}:${message.at}`,
    source,
    type: `${EVENT_TYPES.alert}.${message.change}`,
    subject: message.episodes[0]?.fingerprint ?? 'platform',
    time: new Date(message.at).toISOString(),
    datacontenttype: 'application/json',
    data: message,
  };
}

/** The worker's own log. */
export function logChannel(log: MonitoringDeps['log']): AlertChannel {
  return {
    name: 'log',
    send: (messages) => {
      for (const { id, change, severity, title, text, count } of messages)
        log(
          { alert: id, change, severity, count, text },
          title,
          change === 'resolved' ? 'info' : levelOf(severity),
        );
      return Promise.resolve();
    },
  };
}

function levelOf(severity: AlertMessage['severity']): 'info' | 'warn' | 'error' {
  return severity === 'info' ? 'info' : severity === 'warning' ? 'warn' : 'error';
}

export async function recordAlerts(
  deps: MonitoringDeps,
  tables: LakeTables,
  rows: readonly AlertRow[],
  transaction: { readonly appId: string; readonly version: number },
): Promise<void> {
  const table = tables.table('meta', 'alerts');
  const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const records = rows.map((row) => ({
    at: instant(row.at),
    change: row.change,
    episode: row.episode,
    fingerprint: row.fingerprint,
    rule: row.rule,
    severity: row.severity,
    labels: JSON.stringify(row.labels),
    summary: row.summary,
    value: row.value,
    opened_at: instant(row.openedAt),
    actor: row.by,
    channel: row.channel,
    lag_ms: row.lagMs,
  }));
  await appendRows(table, deps.rowParquet, records, { schema: ALERTS, transaction });
  await checkpointIfDue(deps, table);
}

const ALERTS = recordSchema({
  at: 'timestamp',
  change: 'string',
  episode: 'string',
  fingerprint: 'string',
  rule: 'string',
  severity: 'string',
  labels: 'string',
  summary: 'string',
  value: 'double',
  opened_at: 'timestamp',
  actor: 'string',
  channel: 'string',
  lag_ms: 'long',
});
