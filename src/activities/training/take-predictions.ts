/** The inbox of the model server → `meta.predictions`. */
import { z } from 'zod';
import type { TakenPredictions } from '../../contracts/model-watch.js';
import { PREDICTIONS_INBOX } from '../../contracts/serving.js';
import { recordSchema } from '../record-schema.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import { takeInbox, type Inbox } from '../take-inbox.js';
import type { TrainingDeps } from './deps.js';

export const PREDICTIONS_TABLE = 'predictions';

const prediction = z.object({
  ...{ id: z.string(), model: z.string(), version: z.string(), prediction: z.number() },
  ...{ at: z.iso.datetime(), key: z.string().nullable(), time: z.iso.datetime().nullable() },
  probabilities: z.array(z.number()).optional(),
});

const PREDICTIONS: Inbox = {
  ...{ prefix: PREDICTIONS_INBOX, table: PREDICTIONS_TABLE },
  ...{ transaction: 'datalab:predictions', note: 'datalabPredictions' },
  schema: recordSchema({
    predicted_at: 'timestamp',
    id: 'string',
    model: 'string',
    version: 'string',
    key: 'string',
    feature_time: 'timestamp',
    prediction: 'double',
    // A JSON list, of several classes only.
    probabilities: 'string',
  }),
  read: (line) => {
    const { data } = prediction.safeParse(line);
    if (!data) return undefined;
    const { at, time, probabilities, ...rest } = data;
    const list = probabilities ? JSON.stringify(probabilities) : null;
    return { rows: [{ predicted_at: at, ...rest, feature_time: time, probabilities: list }] };
  },
};

export async function takePredictions(deps: TrainingDeps, tables: LakeTables): Promise<TakenPredictions> {
  const { value } = await runStep('take predictions', deps.scratchDirectory, async ({ signal, progress }) => {
    const taken = await takeInbox(deps, tables, PREDICTIONS, {
      signal,
      onFiles: (done) => progress({ phase: 'predictions', done, total: 0, unit: 'files' }),
    });
    return { ...{ rows: taken.rows, bytes: 0, detail: `${taken.files} files` }, value: taken };
  });
  return value;
}
