/** What a run takes from a Kafka topic: from where Bronze's own transactions end to where the topic ended when it was listed. */
import { DatalabError } from '../contracts/errors.js';
import type { OffsetRange, SourceObject } from '../contracts/sources.js';
import type { Snapshot } from '../delta/index.js';
import { offsetsTransaction, topicTransactions } from '../medallion/transactions.js';

export interface OffsetLimits {
  /** Offsets that the run may take, all partitions together. */
  readonly messages: number;
  /** The time that the rows' `_source_modified_at` shows. */
  readonly nowMs: number;
}

/**
 * Listed partitions → the stretches that are not taken in yet, as far as the limit goes. Throws SOURCE_MESSAGES_LOST where a partition begins after what was read, and SOURCE_TOPIC_RENEWED where it ends
 * before it.
 */
export function freshOffsets(
  listed: readonly SourceObject[],
  bronze: Snapshot | null,
  { messages, nowMs }: OffsetLimits,
): SourceObject[] {
  requireAllListed(listed, bronze);
  const behind = listed.flatMap((source) => {
    const { offsets } = source;
    if (!offsets) return [];
    const taken = bronze?.transaction(offsetsTransaction(offsets));
    const from = taken?.version ?? offsets.from;
    requireReachable(source.path, offsets, from);
    // Rows of one partition are ordered by time first and offset second, so a later stretch must not seem older, whatever
    // the clock of the machine that took the one before.
    const modifiedMs = Math.max(nowMs, (taken?.lastUpdated ?? 0) + 1);
    return from === offsets.to ? [] : [{ ...source, modifiedMs, offsets: { ...offsets, from } }];
  });
  return limited(behind, messages);
}

/** Whether the stretch is still to be taken into this Bronze. Throws SOURCE_CHANGED where another run took a part of it. */
export function isToTake({ path, offsets }: SourceObject, bronze: Snapshot | null): boolean {
  const next = offsets && bronze?.transaction(offsetsTransaction(offsets))?.version;
  if (offsets === undefined || next === undefined || next === offsets.from) return true;
  if (next >= offsets.to) return false;
  throw new DatalabError(
    'SOURCE_CHANGED',
    `${path}: another run took the offsets to ${next} since this one listed those from ${offsets.from}`,
  );
}

function requireReachable(path: string, { from: earliest, to: latest }: OffsetRange, next: number): void {
  if (latest < next) {
    throw new DatalabError(
      'SOURCE_TOPIC_RENEWED',
      `${path} ends at offset ${latest}, and was read to offset ${next} before`,
    );
  }
  if (earliest > next) {
    throw new DatalabError(
      'SOURCE_MESSAGES_LOST',
      `${path} begins at offset ${earliest}, and was read to offset ${next} only: ${earliest - next} offset(s) are gone`,
    );
  }
}

/** Topics gain partitions and never lose them: one that is gone was another topic's. */
function requireAllListed(listed: readonly SourceObject[], bronze: Snapshot | null): void {
  const first = listed.find(({ offsets }) => offsets)?.offsets;
  if (!first || !bronze) return;
  const start = topicTransactions(first);
  const there = new Set(listed.map(({ offsets }) => offsets && offsetsTransaction(offsets)));
  const gone = [...bronze.transactions.keys()].find((appId) => appId.startsWith(start) && !there.has(appId));
  if (gone === undefined) return;
  throw new DatalabError(
    'SOURCE_TOPIC_RENEWED',
    `the topic ${first.topic} has no partition ${gone.slice(start.length)} any more, and that was read before`,
  );
}

/** An equal share for each, and what some do not need goes to the others. */
function limited(sources: readonly SourceObject[], messages: number): SourceObject[] {
  const bySize = [...sources].sort((a, b) => sizeOf(a) - sizeOf(b));
  const taken = new Map<SourceObject, number>();
  let left = messages;
  bySize.forEach((source, index) => {
    const share = Math.min(sizeOf(source), Math.ceil(left / (bySize.length - index)));
    taken.set(source, share);
    left -= share;
  });
  return sources.flatMap((source) => {
    const { offsets } = source;
    const share = taken.get(source) ?? 0;
    return offsets && share > 0 ? [{ ...source, offsets: { ...offsets, to: offsets.from + share } }] : [];
  });
}

function sizeOf({ offsets }: SourceObject): number {
  return offsets ? offsets.to - offsets.from : 0;
}
