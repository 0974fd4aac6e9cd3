/** The conflict rules as a table: what I did, what the winner did, which check answers. */
import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/delta/index.js';
import { findConflict, winnerOf, type PendingCommit } from '../../src/delta/conflict.js';
import { creation, fakeAdd } from '../support/table.js';

const add = (path: string, dataChange = true): Action => ({ add: fakeAdd(path, { dataChange }) });
const remove = (path: string, dataChange = true): Action => ({ remove: { path, dataChange } });
const txn = (appId: string): Action => ({ txn: { appId, version: 1 } });
const domain = (name: string): Action => ({
  domainMetadata: { domain: name, configuration: '', removed: false },
});
const [protocol, metaData] = creation() as [Action, Action];

const mine = (read: PendingCommit['read'], ...actions: Action[]): PendingCommit => ({
  read,
  actions,
  creates: false,
});
const ME = {
  'blind append': mine('nothing', add('new')),
  'blind append with a transaction': mine('nothing', add('new'), txn('me')),
  'overwrite of everything': mine('table', remove('old'), add('new')),
  'delete in some files': mine(
    { files: [fakeAdd('old'), fakeAdd('read%20only')], wouldRead: (file) => file.path !== 'theirs' },
    remove('old'),
  ),
  'delete that would have read theirs': mine(
    { files: [fakeAdd('old')], wouldRead: () => true },
    remove('old'),
  ),
  'compaction of old': mine('table', remove('old', false), add('new', false)),
  'delete of what was read': mine('table', remove('old')),
  'change of properties': mine('nothing', metaData),
  'change of a domain': mine('nothing', domain('mine')),
  'transaction alone': mine('nothing', txn('me')),
};
const WINNER: Record<string, Action[]> = {
  'blind append': [{ commitInfo: { isBlindAppend: true } }, add('theirs')],
  'append of a foreign writer': [add('theirs')],
  'overwrite of other files': [remove('other'), add('theirs')],
  'delete of old': [remove('old')],
  'compaction of old': [remove('old', false), add('theirs', false)],
  'delete of what I only read': [remove('read only')],
  'compaction of others': [remove('other', false), add('theirs', false)],
  'change of properties': [metaData],
  'change of protocol': [protocol],
  'transaction of mine': [add('theirs'), txn('me')],
  'transaction of another': [txn('another')],
  'change of my domain': [domain('mine')],
  'my own file': [add('new')],
  'commitInfo only': [{ commitInfo: { operation: 'OPTIMIZE' } }],
};

type Expected = Partial<Record<keyof typeof WINNER, string>>;
const ALWAYS: Expected = {
  'change of properties': 'metadataChanged',
  'change of protocol': 'protocolChanged',
};
const READS_ALL: Expected = {
  'blind append': 'concurrentAppend',
  'append of a foreign writer': 'concurrentAppend',
  'overwrite of other files': 'concurrentAppend',
  'delete of old': 'concurrentDeleteRead',
  'delete of what I only read': 'concurrentDeleteRead',
  'compaction of old': 'concurrentDeleteRead',
  'compaction of others': 'concurrentDeleteRead',
  'transaction of mine': 'concurrentAppend',
  'my own file': 'concurrentAppend',
};
/** What is not named goes through. */
const TABLE: Record<keyof typeof ME, Expected> = {
  'blind append': { 'my own file': 'concurrentAdd' },
  'blind append with a transaction': {
    'my own file': 'concurrentAdd',
    'transaction of mine': 'applicationTransaction',
  },
  'overwrite of everything': READS_ALL,
  'delete in some files': {
    'delete of old': 'concurrentDeleteRead',
    'delete of what I only read': 'concurrentDeleteRead',
    'compaction of old': 'concurrentDeleteRead',
    'my own file': 'concurrentAppend',
  },
  'delete that would have read theirs': {
    'blind append': 'concurrentAppend',
    'append of a foreign writer': 'concurrentAppend',
    'overwrite of other files': 'concurrentAppend',
    'delete of old': 'concurrentDeleteRead',
    'compaction of old': 'concurrentDeleteRead',
    'transaction of mine': 'concurrentAppend',
    'my own file': 'concurrentAppend',
  },
  'compaction of old': {
    'delete of old': 'concurrentDeleteDelete',
    'compaction of old': 'concurrentDeleteDelete',
    'my own file': 'concurrentAdd',
  },
  'delete of what was read': READS_ALL,
  'change of properties': {},
  'change of a domain': { 'change of my domain': 'domainMetadataChanged' },
  'transaction alone': { 'transaction of mine': 'applicationTransaction' },
};

describe.each(Object.keys(ME) as Array<keyof typeof ME>)('my %s', (me) => {
  test.each(Object.keys(WINNER))('after a %s', (winner) => {
    const found = findConflict(ME[me], winnerOf(7, WINNER[winner] ?? []));
    expect(found?.check).toBe({ ...ALWAYS, ...TABLE[me] }[winner]);
    if (found) expect(found).toMatchObject({ version: 7, detail: expect.stringMatching(/./) as string });
  });
});

test('whoever creates a table loses to any winner', () => {
  const creating = { ...mine('nothing', protocol, metaData), creates: true };
  expect(findConflict(creating, winnerOf(0, [txn('x')]))?.check).toBe('tableCreated');
});

test('one file under two spellings is one file', () => {
  const found = findConflict(mine('nothing', remove('a%20b')), winnerOf(1, [remove('a b')]));
  expect(found?.check).toBe('concurrentDeleteDelete');
});
