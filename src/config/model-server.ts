/** The section `modelServer` of `datalab.yaml`: where it listens, what it takes at once, what it keeps. */
import { z } from 'zod';

const positive = z.number().int().positive();

export const modelServerSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Off: the platform starts none, none is watched, and a deployment asks none.'),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Where it listens. Whoever reaches it may ask it: it knows no users.'),
    port: z.number().int().min(0).max(65_535).default(8080).describe('0: any free one.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where workers and the command line reach it. Default: the port, on this machine.'),
    pollSeconds: z
      .number()
      .positive()
      .default(5)
      .describe('How often it looks whether an alias moved. A deployment tells it at once.'),
    bodyMb: z.number().positive().max(256).default(8).describe('Largest request.'),
    rowsMax: positive.default(10_000).describe('Most rows or keys of one request.'),
    log: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Whether predictions are kept, for their error later.'),
        flushSeconds: z
          .number()
          .positive()
          .default(5)
          .describe('What is younger is lost where the server dies.'),
        rowsMax: positive
          .default(200_000)
          .describe('Predictions held while the lake is away; more are dropped, and counted.'),
      })
      .prefault({}),
  })
  .prefault({});

/** Where the model server of this configuration is reached. */
export function modelServerUrl({ url, port }: z.output<typeof modelServerSchema>): string {
  return (url ?? `http://127.0.0.1:${port}`).replace(/\/+$/, '');
}
