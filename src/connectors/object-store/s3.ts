/** Objects in S3 or any gateway that honours `If-None-Match`. */
import { createWriteStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { LocalFiles, ObjectInfo, ObjectStore, PutFileOptions } from '../../delta/ports.js';
import type { CachedCopy, LocalCache } from './cache.js';
import { ObjectMissingError } from './errors.js';
import { joinKey, requireKey, requirePrefix } from './keys.js';
import { forEachLimited } from './limit.js';
import { putMultipart } from './s3-multipart.js';

export interface S3Location {
  readonly client: S3Client;
  readonly bucket: string;
  /** Root within the bucket, without leading or trailing slash; may be empty. */
  readonly prefix: string;
  readonly cache: LocalCache;
}

/** Files up to this size go up in one request, held in memory. */
const SINGLE_PUT_MAX_BYTES = 16 * 1024 * 1024;
const PARALLEL_DOWNLOADS = 8;
const DELETE_BATCH = 1000;
const CONFLICT_TRIES = 8;
const CONFLICT_WAIT_MS = 50;

/**
 * An S3 bucket, or a prefix of it, as an object store. The client repeats a request whose answer is lost; where that
 * was a `putIfAbsent` that had succeeded, the repetition finds our own object and the answer is `exists`. Only the
 * caller can tell: the commit knows itself by the `txnId` in it.
 */
export class S3ObjectStore implements ObjectStore {
  readonly uri: string;

  constructor(private readonly location: S3Location) {
    this.uri = `s3://${joinKey(location.bucket, location.prefix).replace(/\/$/, '')}`;
  }

  async *list(
    prefix: string,
    options: { startAfter?: string; signal?: AbortSignal } = {},
  ): AsyncIterable<ObjectInfo> {
    const root = this.location.prefix === '' ? '' : `${this.location.prefix}/`;
    let token: string | undefined;
    do {
      const page = await this.location.client.send(
        new ListObjectsV2Command({
          Bucket: this.location.bucket,
          Prefix: root + requirePrefix(prefix),
          StartAfter: options.startAfter === undefined ? undefined : root + options.startAfter,
          ContinuationToken: token,
        }),
        { abortSignal: options.signal },
      );
      for (const object of page.Contents ?? []) {
        const key = (object.Key ?? '').slice(root.length);
        // Folder markers, which some tools leave behind, are no objects of ours.
        if (key === '' || key.endsWith('/')) continue;
        yield { key, sizeBytes: object.Size ?? 0, modifiedMs: object.LastModified?.getTime() ?? 0 };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async get(key: string, options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const body = await this.#body(key, options.signal);
    return body.transformToByteArray();
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const answer = await this.location.client.send(new HeadObjectCommand(this.#target(key)));
      return {
        key,
        sizeBytes: answer.ContentLength ?? 0,
        modifiedMs: answer.LastModified?.getTime() ?? 0,
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.location.client.send(new PutObjectCommand({ ...this.#target(key), Body: bytes }));
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#create(async () => {
      await this.location.client.send(
        new PutObjectCommand({ ...this.#target(key), Body: bytes, IfNoneMatch: '*' }),
      );
    });
  }

  /** Runs a conditional write: 412 is an answer, 409 is tried again. */
  async #create(write: () => Promise<void>): Promise<'created' | 'exists'> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await write();
        return 'created';
      } catch (error) {
        if (isPreconditionFailed(error)) return 'exists';
        // Another conditional write of the key is under way and may yet fail: that decides nothing.
        if (!isConditionalConflict(error) || attempt >= CONFLICT_TRIES) throw error;
        await delay(CONFLICT_WAIT_MS * attempt * Math.random());
      }
    }
  }

  async putFile(key: string, localPath: string, options: PutFileOptions = {}): Promise<void> {
    const { size } = await stat(localPath);
    const target = this.#target(key);
    if (size > SINGLE_PUT_MAX_BYTES) {
      await putMultipart(this.location.client, target, localPath, size, { signal: options.signal });
      return;
    }
    const file = await open(localPath, 'r');
    try {
      const Body = await file.readFile();
      await this.location.client.send(new PutObjectCommand({ ...target, Body }), {
        abortSignal: options.signal,
      });
    } finally {
      await file.close();
    }
  }

  async putFileIfAbsent(
    key: string,
    localPath: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<'created' | 'exists'> {
    const { size } = await stat(localPath);
    if (size <= SINGLE_PUT_MAX_BYTES) return this.putIfAbsent(key, await readFile(localPath));
    // Not every gateway knows the condition where an upload in parts ends: whoever comes late is told before.
    if (await this.head(key)) return 'exists';
    const { client } = this.location;
    const how = { signal: options.signal, ifAbsent: true };
    return this.#create(() => putMultipart(client, this.#target(key), localPath, size, how));
  }

  async checkout(keys: readonly string[], options: { signal?: AbortSignal } = {}): Promise<LocalFiles> {
    const copies = new Map<string, CachedCopy>();
    const release = (): void => {
      for (const copy of copies.values()) copy.release();
    };
    try {
      await forEachLimited([...new Set(keys)], PARALLEL_DOWNLOADS, async (key) => {
        const id = `${this.uri}/${requireKey(key)}`;
        const copy = await this.location.cache.acquire(
          id,
          (path, signal) => this.#download(key, path, signal),
          options.signal,
        );
        copies.set(key, copy);
      });
    } catch (error) {
      release();
      throw error;
    }
    return {
      pathOf: (key) => {
        const copy = copies.get(key);
        if (!copy) throw new Error(`'${key}' was not checked out`);
        return copy.path;
      },
      release,
    };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let first = 0; first < keys.length; first += DELETE_BATCH) {
      const batch = keys.slice(first, first + DELETE_BATCH);
      const answer = await this.location.client.send(
        new DeleteObjectsCommand({
          Bucket: this.location.bucket,
          Delete: { Quiet: true, Objects: batch.map((key) => ({ Key: this.#target(key).Key })) },
        }),
      );
      const failed = (answer.Errors ?? []).find(({ Code }) => Code !== 'NoSuchKey');
      if (failed)
        throw new Error(`deleting ${failed.Key} in ${this.uri} failed: ${failed.Code} ${failed.Message}`);
    }
  }

  at(prefix: string): S3ObjectStore {
    return new S3ObjectStore({ ...this.location, prefix: joinKey(this.location.prefix, requireKey(prefix)) });
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.location.bucket, Key: joinKey(this.location.prefix, requireKey(key)) };
  }

  async #body(key: string, signal?: AbortSignal) {
    try {
      const answer = await this.location.client.send(new GetObjectCommand(this.#target(key)), {
        abortSignal: signal,
      });
      if (!answer.Body) throw new Error(`${this.uri}/${key}: the answer has no body`);
      return answer.Body;
    } catch (error) {
      throw isMissing(error) ? new ObjectMissingError(key, this.uri, { cause: error }) : error;
    }
  }

  async #download(key: string, path: string, signal: AbortSignal): Promise<void> {
    const body = await this.#body(key, signal);
    await pipeline(body as unknown as Readable, createWriteStream(path, { flags: 'wx' }), { signal });
  }
}

interface S3Failure {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function isMissing(error: unknown): boolean {
  const { name } = error as S3Failure;
  // A missing bucket is a matter of configuration and must be heard of.
  return name === 'NoSuchKey' || name === 'NotFound';
}

function isPreconditionFailed(error: unknown): boolean {
  const { name, $metadata } = error as S3Failure;
  return name === 'PreconditionFailed' || $metadata?.httpStatusCode === 412;
}

function isConditionalConflict(error: unknown): boolean {
  const { name, $metadata } = error as S3Failure;
  return name === 'ConditionalRequestConflict' || $metadata?.httpStatusCode === 409;
}
