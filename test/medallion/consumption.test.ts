/** What the commits of an upstream mean for what is made from it. */
import { expect, it } from 'vitest';
import type { Action } from '../../src/delta/actions.js';
import { changeFiles, isNews, newFiles, type Commit } from '../../src/medallion/consumption.js';

const add = (path: string, dataChange = true): Action => ({
  add: { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange },
});
const remove = (path: string, dataChange = true): Action => ({ remove: { path, dataChange } });
const note = (datalab: object): Action => ({ commitInfo: { datalab } });
const publish = (more: object): Action => note({ kind: 'publish', ...more });
const commit = (version: number, ...actions: Action[]): Commit => ({ version, actions });

const appended = commit(1, publish({}), add('a'), add('b'));
const optimized = commit(2, remove('a', false), remove('b', false), add('c', false));
const retained = commit(3, note({ kind: 'retention' }), remove('c'), add('d'));
const rewritten = commit(4, publish({}), remove('d'), add('e'));
const merged = commit(5, publish({ changes: '_changes/x.parquet' }), remove('e'), add('f'));
const mergedNothing = commit(6, publish({ changes: null }));
const onlySaid = commit(7, publish({ changes: null }), { txn: { appId: 'x', version: 1 } });

it('tells news from what only moves rows or ages them out', () => {
  expect([appended, optimized, retained, rewritten, merged, mergedNothing].map(isNews)).toEqual([
    ...[true, false, false, true, true, false],
  ]);
});

it('finds the files that appends brought, through re-arranging and retention', () => {
  const found = newFiles([appended, optimized, retained]);
  expect('files' in found && found.files.map(({ path }) => path)).toEqual(['a', 'b']);
  expect(newFiles([appended, rewritten])).toEqual({ whole: expect.stringContaining('version 4') as string });
});

it('finds the files that tell changed rows, or says which version tells none', () => {
  expect(changeFiles([optimized, retained, merged, mergedNothing, onlySaid])).toEqual({
    keys: ['_changes/x.parquet'],
  });
  expect(changeFiles([merged, rewritten])).toEqual({ whole: expect.stringContaining('version 4') as string });
});
