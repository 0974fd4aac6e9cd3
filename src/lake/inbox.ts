/**
 * The lake's inboxes: folders beside the tables, in which whoever may not change a table leaves records as files of JSON
 * lines. A workflow takes them into the table (`src/activities/take-inbox.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { LakeReader } from './tables.js';

/** Files that this process left: those of one millisecond sort by it. */
let left = 0;

/** A record as it lies in a file. */
export const inboxLine = (record: object): string => `${JSON.stringify(record)}\n`;

/** Leaves records in one file. `prefix` ends with `/`. Throws where the lake does not take it. */
export async function leaveInInbox(
  store: LakeReader['store'],
  prefix: string,
  records: readonly object[],
  nowMs: number,
): Promise<void> {
  await leaveLines(store, prefix, Buffer.from(records.map(inboxLine).join('')), nowMs);
}

/** The same of records that are lines already. */
export async function leaveLines(
  store: LakeReader['store'],
  prefix: string,
  bytes: Uint8Array,
  nowMs: number,
): Promise<void> {
  // Names sort by time, so that the oldest is taken first; an id of its own, so that none is written over.
  const at = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  const number = String(left++).padStart(9, '0');
  await store.put(`${prefix}${at}-${number}-${randomUUID()}.jsonl`, bytes);
}
