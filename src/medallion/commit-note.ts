/** What DataLab writes into `commitInfo` under the key `datalab`, and the events that follow from it. */
import type { CommitInfo } from '../delta/actions.js';
import {
  EVENT_TYPES,
  type EventEnvelope,
  type RunFinished,
  type TablePublished,
} from '../contracts/events.js';
import type { BackfillFinished } from '../contracts/backfill.js';
import type { LineageEvent, PublishLineage, RunLineage } from '../contracts/lineage.js';
import type { Ledger } from '../contracts/ledger.js';
import type { MaintenanceFinished } from '../contracts/maintenance-report.js';
import type { RunRef } from '../contracts/run.js';
import { publishLineage, runLineage } from './lineage.js';

/** A publish says which manifest it published: that is how its repetition is recognised. */
export interface PublishNote {
  readonly kind: 'publish';
  readonly manifest: string;
  readonly run: RunRef;
  readonly ledger: Ledger;
  readonly rows: number;
  readonly fingerprint: string;
  /** Of an increment: by how many rows the table grew, as the computation counted them before anything was written. */
  readonly grown?: number;
  /** Why a table was recomputed from all of its input. */
  readonly rebuild?: string;
  /**
   * Key of the file in the lake that tells the rows that changed, null where none did. Without it nobody can tell, and
   * whoever consumes the table computes everything again.
   */
  readonly changes?: string | null;
  readonly lineage?: PublishLineage;
}

/** Rows that retention took out: no news for those who consumed them (DESIGN law 12). */
export interface RetentionNote {
  readonly kind: 'retention';
}

/** The record of a run carries its notification. */
export interface RunNote {
  readonly kind: 'run';
  readonly finished: RunFinished;
  readonly lineage?: RunLineage;
}

/** The record of a run of maintenance carries its message. */
export interface MaintainedNote {
  readonly kind: 'maintained';
  readonly finished: MaintenanceFinished;
}

/** The record of a backfill carries its message. */
export interface BackfilledNote {
  readonly kind: 'backfilled';
  readonly finished: BackfillFinished;
}

export type CommitNote = PublishNote | RunNote | RetentionNote | MaintainedNote | BackfilledNote;

const KINDS: ReadonlySet<unknown> = new Set<CommitNote['kind']>([
  'publish',
  'run',
  'retention',
  'maintained',
  'backfilled',
]);

/** The note of a commit, or undefined where somebody else made the commit. */
export function noteOf(info: CommitInfo): CommitNote | undefined {
  const note = info['datalab'];
  if (typeof note !== 'object' || note === null) return undefined;
  const { kind } = note as { kind?: unknown };
  return KINDS.has(kind) ? (note as CommitNote) : undefined;
}

/** Where the event of a commit goes. */
export interface RoutedEvent {
  readonly topic: 'events' | 'notifications';
  readonly event: EventEnvelope<TablePublished | RunFinished | MaintenanceFinished | BackfillFinished>;
}

/**
 * The event of one commit: a pure function of the commit, with an id that every repetition shares, so that sending it
 * twice can be recognised by whoever reads it.
 */
export function eventOf(
  table: { name: string; id: string; uri: string },
  version: number,
  info: CommitInfo,
): RoutedEvent | undefined {
  const note = noteOf(info);
  if (note === undefined || note.kind === 'retention') return undefined;
  const time = new Date(info.timestamp ?? 0).toISOString();
  const envelope = {
    specversion: '1.0',
    source: table.uri,
    time,
    datacontenttype: 'application/json',
  } as const;
  if (note.kind === 'maintained') {
    const { finished } = note;
    return {
      topic: 'notifications',
      event: {
        ...envelope,
        id: `maintenance:${finished.runId}`,
        type: `${EVENT_TYPES.maintenance}.${finished.outcome}`,
        subject: 'lake',
        data: finished,
      },
    };
  }
  if (note.kind === 'backfilled') {
    const { finished } = note;
    return {
      topic: 'notifications',
      event: {
        ...envelope,
        id: `backfill:${finished.runId}`,
        type: `${EVENT_TYPES.backfill}.${finished.outcome}`,
        subject: finished.scheduleId,
        data: finished,
      },
    };
  }
  if (note.kind === 'run') {
    const { finished } = note;
    if (finished.quiet) return undefined;
    return {
      topic: 'notifications',
      event: {
        ...envelope,
        id: `run:${finished.executionId}`,
        type: `${EVENT_TYPES.run}.${finished.outcome}`,
        subject: finished.dataset,
        data: finished,
      },
    };
  }
  return {
    topic: 'events',
    event: {
      ...envelope,
      id: `${table.id}:${version}`,
      type: EVENT_TYPES.published,
      subject: table.name,
      data: {
        table: table.name,
        tableId: table.id,
        version,
        operation: info.operation ?? '',
        rows: note.rows,
        dataset: note.run.dataset,
        runId: note.run.runId,
        logicalTime: note.run.logicalTime,
        ledger: note.ledger,
      },
    },
  };
}

/** The lineage of one commit, by the same rules; none where the commit is from before lineage was kept. */
export function lineageOf(
  table: { name: string; id: string; uri: string },
  version: number,
  info: CommitInfo,
): LineageEvent[] {
  const note = noteOf(info);
  if (note?.kind !== 'publish' && note?.kind !== 'run') return [];
  if (note.lineage === undefined) return [];
  if (note.kind === 'run') return runLineage(table.uri, note.finished, note.lineage);
  const { run, rows, lineage } = note;
  const at = new Date(info.timestamp ?? 0).toISOString();
  const mode = String(info.operationParameters?.['mode'] ?? '');
  return publishLineage(table, { version, at, mode, run, rows, lineage });
}
