/** What DataLab tells the world on Kafka: CloudEvents 1.0 in structured JSON, with ids that a repetition shares. */
import type { LineageEvent } from './lineage.js';
import type { Ledger } from './ledger.js';
import type { TrainingFigures } from './ml-flows.js';
import type { RunOutcome, TableState } from './run.js';

/** CloudEvents 1.0 envelope, JSON format. */
export interface EventEnvelope<Data> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Data;
}

/** `io.datalab.table.published`: one per publish, on the events topic. */
export interface TablePublished {
  readonly table: string;
  readonly tableId: string;
  readonly version: number;
  readonly operation: string;
  readonly rows: number;
  readonly dataset: string;
  readonly runId: string;
  readonly logicalTime: string;
  readonly ledger: Ledger;
}

/** `io.datalab.run.<outcome>`: one per run, on the notifications topic. */
export interface RunFinished {
  readonly runId: string;
  /** Another one after a reset; names the event. */
  readonly executionId: string;
  readonly workflowId: string;
  readonly dataset: string;
  readonly logicalTime: string;
  readonly outcome: RunOutcome;
  readonly message: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly bronze: Ledger;
  readonly silver: Ledger;
  readonly score: number | null;
  readonly tables: readonly TableState[];
  /** Whether nobody is to be notified. */
  readonly quiet?: boolean;
  /** Of a training: what became of the model, and why the gate refused it where it did. */
  readonly training?: Pick<TrainingFigures, 'model' | 'version' | 'decision' | 'reasons'>;
}

export const EVENT_TYPES = Object.freeze({
  published: 'io.datalab.table.published',
  run: 'io.datalab.run',
  maintenance: 'io.datalab.maintenance',
  backfill: 'io.datalab.backfill',
  sample: 'io.datalab.monitoring.sample',
  alert: 'io.datalab.alert',
});

/** Kafka, or nothing. Obligations: both return when every message is acknowledged by all in-sync replicas, or throw EVENTS_UNAVAILABLE. */
export interface EventSink {
  send(topic: string, events: ReadonlyArray<EventEnvelope<unknown>>): Promise<void>;
  /** OpenLineage events are no CloudEvents: they go out as they are, in order for each job. */
  sendLineage(topic: string, events: readonly LineageEvent[]): Promise<void>;
}
