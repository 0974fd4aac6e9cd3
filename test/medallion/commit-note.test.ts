/** Events as a pure function of commits. */
import { CloudEvent } from 'cloudevents';
import { describe, expect, it } from 'vitest';
import type { RunFinished } from '../../src/contracts/events.js';
import type { RunRef } from '../../src/contracts/run.js';
import { eventOf, noteOf, type PublishNote, type RunNote } from '../../src/medallion/commit-note.js';

const run: RunRef = {
  executionId: 'execution-1',
  runId: 'r-1',
  workflowId: 'w-1',
  dataset: 'sales',
  logicalTime: '2024-01-01T09:00:00.000Z',
};
const ledger = { read: 3, accepted: 2, duplicate: 0, quarantined: 1 };
const publish: PublishNote = { kind: 'publish', manifest: 'm', run, ledger, rows: 2, fingerprint: 'f' };
const finished: RunFinished = {
  ...run,
  outcome: 'failed',
  message: 'sales: failed',
  startedAt: '2024-01-01T09:00:01.000Z',
  finishedAt: '2024-01-01T09:00:02.000Z',
  bronze: ledger,
  silver: ledger,
  score: null,
  tables: [],
};
const TABLE = { name: 'bronze.sales', id: 'table-id', uri: 's3://lake/bronze/sales' };
const at = Date.UTC(2024, 0, 1, 9, 30);
const info = (datalab: unknown) => ({ timestamp: at, operation: 'WRITE', datalab });

describe('noteOf', () => {
  it.each([
    ['nothing of ours', {}],
    ['a text', info('publish')],
    ['null', info(null)],
    ['another kind', info({ kind: 'quarantine', run })],
  ])('sees no note in a commit with %s', (_what, commit) => {
    expect(noteOf(commit)).toBeUndefined();
    expect(eventOf(TABLE, 1, commit)).toBeUndefined();
  });

  it('sees both kinds of notes', () => {
    expect(noteOf(info(publish))).toEqual(publish);
    expect(noteOf(info({ kind: 'run', finished } satisfies RunNote))).toEqual({ kind: 'run', finished });
  });
});

describe('eventOf', () => {
  it('tells of a publish on the events topic', () => {
    expect(eventOf(TABLE, 7, info(publish))).toEqual({
      topic: 'events',
      event: {
        specversion: '1.0',
        id: 'table-id:7',
        source: TABLE.uri,
        type: 'io.datalab.table.published',
        subject: 'bronze.sales',
        time: '2024-01-01T09:30:00.000Z',
        datacontenttype: 'application/json',
        data: {
          table: 'bronze.sales',
          tableId: 'table-id',
          version: 7,
          operation: 'WRITE',
          rows: 2,
          dataset: 'sales',
          runId: 'r-1',
          logicalTime: run.logicalTime,
          ledger,
        },
      },
    });
  });

  it('tells of a run on the notifications topic', () => {
    expect(eventOf(TABLE, 7, info({ kind: 'run', finished }))).toMatchObject({
      topic: 'notifications',
      event: { id: 'run:execution-1', type: 'io.datalab.run.failed', subject: 'sales', data: finished },
    });
  });

  it.each([publish, { kind: 'run', finished } satisfies RunNote])('is a valid CloudEvent ($kind)', (note) => {
    const event = eventOf(TABLE, 7, info(note))?.event;
    expect(() => new CloudEvent({ ...event }, true).validate()).not.toThrow();
  });

  it('is the same to the byte each time, and another for each version and table', () => {
    const text = (id: string, version: number) =>
      JSON.stringify(eventOf({ ...TABLE, id }, version, info(publish)));
    expect(text('a', 1)).toBe(text('a', 1));
    expect(new Set([text('a', 1), text('a', 2), text('b', 1)]).size).toBe(3);
  });
});
