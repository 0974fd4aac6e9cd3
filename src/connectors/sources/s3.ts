/** Sources in S3: one object, all below a prefix, or a glob over keys. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { DatalabError } from '../../contracts/errors.js';
import type { DownloadOptions, LocalSource, SourceObject } from '../../contracts/sources.js';
import { globPattern, literalPrefix } from './glob.js';
import { byPath } from './order.js';

/**
 * Objects at `s3://bucket/key`, below `s3://bucket/prefix/`, or matching a glob. A glob or prefix may match nothing; a key
 * must be there: SOURCE_NOT_FOUND. Other failures are SOURCE_UNREACHABLE.
 */
export async function listS3(
  client: S3Client,
  location: string,
  signal?: AbortSignal,
): Promise<SourceObject[]> {
  const { bucket, key } = bucketAndKey(location);
  const isGlob = literalPrefix(key) !== key;
  const matches = isGlob ? globPattern(key) : undefined;
  const sources: SourceObject[] = [];
  let token: string | undefined;
  do {
    const page = await reach(location, signal, () =>
      client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: literalPrefix(key), ContinuationToken: token }),
        { ...(signal ? { abortSignal: signal } : {}) },
      ),
    );
    for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
      if (Key === undefined || Key.endsWith('/')) continue;
      const wanted = matches
        ? matches.test(Key)
        : Key === key || Key.startsWith(key === '' || key.endsWith('/') ? key : `${key}/`);
      if (!wanted) continue;
      sources.push({
        path: `s3://${bucket}/${Key}`,
        sizeBytes: Size ?? 0,
        modifiedMs: LastModified?.getTime() ?? 0,
        ...(ETag === undefined ? {} : { etag: ETag }),
      });
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  if (sources.length === 0 && !isGlob && key !== '' && !key.endsWith('/')) {
    throw new DatalabError('SOURCE_NOT_FOUND', `there is no object ${location}`);
  }
  return byPath(sources);
}

/** Streams the object to a file of its own in `directory`, hashing it. Throws SOURCE_CHANGED, SOURCE_UNREACHABLE. */
export async function downloadS3(
  client: S3Client,
  source: SourceObject,
  directory: string,
  { signal, onBytes }: DownloadOptions = {},
): Promise<LocalSource> {
  const { bucket, key } = bucketAndKey(source.path);
  const name = createHash('sha256').update(source.path).digest('hex').slice(0, 32);
  const localPath = path.join(directory, `${name}.source`);
  const hash = createHash('sha256');
  let bytes = 0;
  await reach(source.path, signal, async () => {
    const response = await client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(source.etag === undefined ? {} : { IfMatch: source.etag }),
      }),
      { ...(signal ? { abortSignal: signal } : {}) },
    );
    async function* hashed(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of body) {
        hash.update(chunk);
        bytes += chunk.length;
        onBytes?.(chunk.length);
        yield chunk;
      }
    }
    await pipeline(response.Body as Readable, hashed, createWriteStream(localPath), {
      ...(signal ? { signal } : {}),
    });
  }).catch(async (error: unknown) => {
    await rm(localPath, { force: true });
    throw error;
  });
  if (bytes !== source.sizeBytes) {
    await rm(localPath, { force: true });
    throw new DatalabError(
      'SOURCE_CHANGED',
      `${source.path} was listed with ${source.sizeBytes} bytes and has ${bytes}`,
    );
  }
  const contentHash = hash.digest('hex');
  return { ...source, localPath, sourceId: contentHash, contentHash };
}

function bucketAndKey(location: string): { bucket: string; key: string } {
  const [bucket = '', ...parts] = location.slice('s3://'.length).split('/');
  if (bucket === '') throw new DatalabError('SOURCE_NOT_FOUND', `'${location}' names no bucket`);
  return { bucket, key: parts.join('/') };
}

async function reach<Result>(
  what: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    const refused = error instanceof DatalabError && error.code === 'STORE_REFUSED';
    const { name, message, $metadata } = (refused ? error.cause : error) as Error & {
      $metadata?: { httpStatusCode?: number };
    };
    // Wrong keys are no fault of this source, and listing it again would not mend them.
    if (refused && name !== 'NoSuchBucket') throw error;
    const status = $metadata?.httpStatusCode;
    if (name === 'NoSuchBucket')
      throw new DatalabError('SOURCE_NOT_FOUND', `${what}: there is no such bucket`, { cause: error });
    if (status === 412 || name === 'PreconditionFailed') {
      throw new DatalabError('SOURCE_CHANGED', `${what} changed since it was listed`, { cause: error });
    }
    if (name === 'NoSuchKey' || name === 'NotFound')
      throw new DatalabError('SOURCE_CHANGED', `${what} went away since it was listed`, { cause: error });
    throw new DatalabError('SOURCE_UNREACHABLE', `${what}: ${message || name}`, { cause: error });
  }
}
