/** One URI → one object store. */
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../delta/ports.js';
import { LocalCache } from './cache.js';
import { storeError } from './errors.js';
import { LocalObjectStore } from './local.js';
import { MemoryObjectStore } from './memory.js';
import { S3ObjectStore } from './s3.js';

export { LocalCache } from './cache.js';
export { LocalObjectStore } from './local.js';
export { MemoryObjectStore } from './memory.js';
export { S3ObjectStore } from './s3.js';

/** How S3 is reached. What is left out comes from the AWS SDK's own chain (environment, profile, instance). */
export interface S3Options {
  readonly endpoint?: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Bucket in the path, not in the host name. Default: true where an endpoint is given. */
  readonly forcePathStyle?: boolean;
}

export interface ObjectStoreOptions {
  readonly s3?: S3Options;
  /** Folder for local copies of S3 objects; created when missing. */
  readonly cacheDirectory: string;
  /** Size that the local copies are kept under, those in use aside. */
  readonly cacheBytes: number;
}

/** Stores of one process share a cache folder: two would delete each other's copies. */
const caches = new Map<string, LocalCache>();

/**
 * The store of `file:///folder`, `s3://bucket[/prefix]` or `memory://name`. Nothing is contacted yet. Throws on any
 * other URI, with the ones that are known.
 */
export function openObjectStore(uri: string, options: ObjectStoreOptions): ObjectStore {
  const scheme = /^[a-z0-9]+(?=:\/\/)/.exec(uri)?.[0];
  switch (scheme) {
    case 'file':
      return new LocalObjectStore(fileURLToPath(uri));
    case 's3':
      return openS3(uri, options);
    case 'memory':
      return new MemoryObjectStore(uri.slice('memory://'.length));
    default:
      throw new Error(`'${uri}' is no object store: use file:///folder or s3://bucket/prefix`);
  }
}

function openS3(uri: string, options: ObjectStoreOptions): S3ObjectStore {
  const [bucket = '', ...rest] = uri.slice('s3://'.length).split('/');
  if (bucket === '') throw new Error(`'${uri}' names no bucket: use s3://bucket/prefix`);
  const prefix = rest.filter((part) => part !== '').join('/');
  return new S3ObjectStore({
    client: createS3Client(options.s3 ?? {}),
    bucket,
    prefix,
    cache: cacheIn(options.cacheDirectory, options.cacheBytes),
  });
}

/**
 * A gateway that takes a connection and never answers must fail, or it holds up everything behind it. One request moves
 * at most one part of an upload, so a minute of silence is not slowness.
 */
const TIME_OUTS = {
  connectionTimeout: 5_000,
  socketTimeout: 60_000,
  requestTimeout: 120_000,
  throwOnRequestTimeout: true,
} as const;

/** An S3 client as the stores use it; also for those who read sources. */
export function createS3Client(options: S3Options): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = options;
  const client = new S3Client({
    region: region ?? 'us-east-1',
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    requestHandler: { ...TIME_OUTS },
    // Not every gateway answers `Expect: 100-continue`, and the client would wait for it as long as for an answer.
    expectContinueHeader: false,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  });
  const where = endpoint ?? `S3 in ${region ?? 'us-east-1'}`;
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw storeError(error, where);
      }
    },
    { step: 'initialize', priority: 'high', name: 'storeErrors' },
  );
  return client;
}

function cacheIn(directory: string, maxBytes: number): LocalCache {
  const path = resolve(directory);
  const cache = caches.get(path) ?? new LocalCache(path, maxBytes);
  caches.set(path, cache);
  return cache;
}
