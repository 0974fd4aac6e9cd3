/** The names under which a table remembers what it has taken in: never two things under one name. */
import { expect, it } from 'vitest';
import type { SourceObject } from '../../src/contracts/sources.js';
import {
  consumerTransaction,
  ingestTransaction,
  objectTransaction,
  relayTransaction,
  runTransaction,
  sourceTransaction,
} from '../../src/medallion/transactions.js';

const OBJECT: SourceObject = { path: 's3://b/k', sizeBytes: 10, modifiedMs: 5, etag: 'e' };

it('keeps all kinds of names apart, whatever they name', () => {
  const names = [
    sourceTransaction('x'),
    ingestTransaction('x'),
    consumerTransaction('x', 'y'),
    relayTransaction('x', 'y'),
    runTransaction('x'),
    objectTransaction(OBJECT),
  ];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^datalab:/);
});

it('knows an object by path, size, time and etag, and by nothing else', () => {
  const others: SourceObject[] = [
    { ...OBJECT, path: 's3://b/k2' },
    { ...OBJECT, sizeBytes: 11 },
    { ...OBJECT, modifiedMs: 6 },
    { ...OBJECT, etag: 'f' },
    { path: OBJECT.path, sizeBytes: 10, modifiedMs: 5 },
    { ...OBJECT, path: 's3://b/k\u00001', sizeBytes: 0 },
    { ...OBJECT, path: 's3://b/k', sizeBytes: 1, modifiedMs: 5 },
  ];
  expect(new Set([OBJECT, ...others].map(objectTransaction)).size).toBe(others.length + 1);
  const seen = { ...OBJECT, sourceId: 'later', localPath: '/tmp/x' };
  expect(objectTransaction(seen)).toBe(objectTransaction(OBJECT));
});

it('keeps consumers and upstream tables apart', () => {
  const names = [
    consumerTransaction('silver.a', 'id-1'),
    consumerTransaction('silver.b', 'id-1'),
    consumerTransaction('silver.a', 'id-2'),
  ];
  expect(new Set(names).size).toBe(names.length);
});
