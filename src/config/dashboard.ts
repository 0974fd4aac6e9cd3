/** The section `dashboard` of `datalab.yaml`: where it listens, who calls it, where monitoring reaches it. */
import { z } from 'zod';

const positive = z.number().int().positive();

export const dashboardSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Where it listens. Anything but this machine wants TLS in front of it.'),
    port: z.number().int().min(0).max(65_535).default(8501).describe('0: any free one.'),
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('What browsers call, where that is another name: a reverse proxy with TLS.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where monitoring reaches it. Default: the port, on this machine.'),
    watched: z.boolean().default(true).describe('Whether monitoring asks it; off where there is none.'),
    temporalUiUrl: z
      .url({ protocol: /^https?$/ })
      .default('http://127.0.0.1:8233')
      .describe('Where Temporal’s own Web UI is, for the links to histories.'),
    directory: z
      .string()
      .min(1)
      .default('.datalab/dashboard')
      .describe('Its own small store: users, sessions, audit log.'),
    sessionHours: positive.default(12).describe('How long a sign-in holds.'),
  })
  .prefault({});

/** Where the dashboard of this configuration is reached. */
export function dashboardUrl({ url, port }: z.output<typeof dashboardSchema>): string {
  return (url ?? `http://127.0.0.1:${port}`).replace(/\/+$/, '');
}
