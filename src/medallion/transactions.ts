/**
 * The application ids of DataLab's Delta transactions (DESIGN law 1): what a table has taken in is written in the very
 * commit that took it in, and nowhere else.
 */
import { createHash } from 'node:crypto';
import type { OffsetRange, SourceObject } from '../contracts/sources.js';

/** Bronze holds the rows of this source: its bytes, under whatever name. */
export function sourceTransaction(sourceId: string): string {
  return `datalab:source:${sourceId}`;
}

/**
 * Bronze has seen this very object: same path, size, time and etag. Only a shortcut past hashing bytes that were hashed
 * before; the identity is {@link sourceTransaction}.
 */
export function objectTransaction(object: SourceObject): string {
  const text = [object.path, object.sizeBytes, object.modifiedMs, object.etag ?? ''].join('\0');
  return `datalab:object:${createHash('sha256').update(text).digest('hex')}`;
}

/**
 * How far Bronze has taken in a partition of a Kafka topic: the transaction's version is the next offset to read. Clients
 * cannot see a topic's own id, so a topic that is made anew under its name is told by its offsets.
 */
export function offsetsTransaction({ clusterId, topic, partition }: PartitionName): string {
  return `${topicTransactions({ clusterId, topic })}${partition}`;
}

/** What the transactions of all partitions of a topic begin with; the partition's number follows. */
export function topicTransactions({ clusterId, topic }: Omit<PartitionName, 'partition'>): string {
  return `datalab:kafka:${clusterId}/${topic}:`;
}

type PartitionName = Pick<OffsetRange, 'clusterId' | 'topic' | 'partition'>;

/** Counts the ingests of a dataset, so that two at once conflict and the loser looks at the sources again. */
export function ingestTransaction(dataset: string): string {
  return `datalab:ingest:${dataset}`;
}

/** How much of an upstream table a consumer has taken in; the transaction's version is the upstream Delta version. */
export function consumerTransaction(consumer: string, upstreamTableId: string): string {
  return `datalab:consume:${consumer}:${upstreamTableId}`;
}

/** The newest generation of a layer whose refused rows are settled: nobody adds to it or an older one any more. */
export function refusedTransaction(layer: string): string {
  return `datalab:refused:${layer}`;
}

/** How far the events of a table were sent; the version is the table's Delta version. A table made anew has another id. */
export function relayTransaction(table: string, tableId: string): string {
  return `datalab:relay:${table}:${tableId}`;
}

/** The execution is recorded. A reset is another execution of the same run, and is recorded too. */
export function runTransaction(executionId: string): string {
  return `datalab:run:${executionId}`;
}

/**
 * Retention took rows out: the version is the instant, in milliseconds since the epoch, before which the column's rows
 * went. What a table no longer holds is told by the table itself.
 */
export function retentionTransaction(column: string): string {
  return `datalab:retention:${column}`;
}
