/**
 * The lake's inboxes: folders beside the tables, in which whoever may not change a table leaves records as files of JSON
 * lines. A workflow takes them into the table (`src/activities/take-inbox.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { LakeReader } from './tables.js';

/** Leaves records in one file. `prefix` ends with `/`. Throws where the lake does not take it. */
export async function leaveInInbox(
  store: LakeReader['store'],
  prefix: string,
  records: readonly object[],
  nowMs: number,
): Promise<void> {
  const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  // Names sort by time, so that the oldest is taken first; an id of its own, so that none is written over.
  const at = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  await store.put(`${prefix}${at}-${randomUUID()}.jsonl`, bytes);
}
