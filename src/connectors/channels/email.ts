/** Alerts by mail, one mail per message, over SMTP. */
import { createTransport } from 'nodemailer';
import type { AlertMessage } from '../../contracts/alerts.js';
import type { AlertChannel } from './index.js';

export interface EmailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the start; else STARTTLS where the server has it. */
  readonly secure: boolean;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

const TIMEOUT_MS = 10_000;

export function emailChannel({
  name,
  host,
  port,
  secure,
  user,
  password,
  from,
  to,
}: EmailOptions): AlertChannel {
  return {
    name,
    async send(messages) {
      const transport = createTransport({
        host,
        port,
        secure,
        ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
      });
      try {
        for (const message of messages)
          await transport.sendMail({
            from,
            to: [...to],
            subject: message.title.replace(/[\r\n]+/g, ' '),
            text: textOf(message),
            headers: { 'X-DataLab-Message': message.id },
          });
      } finally {
        transport.close();
      }
    },
  };
}

function textOf({ text, at, count, episodes }: AlertMessage): string {
  const lines = episodes.map(
    ({ id, rule, severity, summary }) => `  ${id}  ${severity.padEnd(8)}  ${rule}: ${summary}`,
  );
  const more = count > episodes.length ? [`  … and ${count - episodes.length} more`] : [];
  return [
    text,
    '',
    `At ${new Date(at).toISOString()}:`,
    ...lines,
    ...more,
    '',
    'datalab alerts list shows what is open; datalab alerts ack <alert> stops the reminders.',
    '',
  ].join('\n');
}
