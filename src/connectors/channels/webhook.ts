/** Alerts as HTTP POSTs: one JSON object per message, or the text that Slack-compatible webhooks take. */
import type { AlertMessage } from '../../contracts/alerts.js';
import type { AlertSeverity } from '../../contracts/monitoring.js';
import type { AlertChannel } from './index.js';

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  readonly format: 'json' | 'slack';
  readonly timeoutMs?: number;
}

export function webhookChannel({ name, url, format, timeoutMs = 10_000 }: WebhookOptions): AlertChannel {
  return {
    name,
    async send(messages) {
      for (const message of messages) await post(url, bodyOf(message, format), message.id, timeoutMs);
    },
  };
}

async function post(url: string, body: unknown, id: string, timeoutMs: number): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      // The same message sent again has the same key, so that a receiver can pass over it.
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const { cause, message } = error as Error;
    // The address may hold a secret, so it is in no message.
    throw new Error(
      `the webhook did not answer: ${cause instanceof Error && cause.message ? cause.message : message}`,
    );
  }
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
}

const SIGNS: Readonly<Record<AlertSeverity, string>> = {
  info: ':information_source:',
  warning: ':warning:',
  error: ':red_circle:',
  critical: ':rotating_light:',
};

function bodyOf(message: AlertMessage, format: WebhookOptions['format']): unknown {
  if (format === 'json') return { ...message, at: new Date(message.at).toISOString() };
  const sign = message.change === 'resolved' ? ':white_check_mark:' : SIGNS[message.severity];
  return { text: `${sign} *${slackText(message.title)}*\n${slackText(message.text)}` };
}

/** The three characters that Slack's format gives a meaning. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
