/** Channels that alerts go out over, as ports. */
import type { AlertMessage } from '../../contracts/alerts.js';

/** Obligations: `send` returns when all of the messages were taken, and throws why not otherwise. */
export interface AlertChannel {
  readonly name: string;
  send(messages: readonly AlertMessage[]): Promise<void>;
}

export { webhookChannel, type WebhookOptions } from './webhook.js';
export { emailChannel, type EmailOptions } from './email.js';
