/** Upload of a big file in parts, with bounded memory. */
import { open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { forEachLimited } from './limit.js';

const PART_MIN_BYTES = 16 * 1024 * 1024;
const PARTS_MAX = 10_000;
/** At most this many parts are in memory at once. */
const PARALLEL_PARTS = 2;

/**
 * Uploads the file; on failure the parts that went up are dropped. The object appears when all of it is there; with
 * `ifAbsent` only where its key is still free (the store then answers 412).
 */
export async function putMultipart(
  client: S3Client,
  target: { readonly Bucket: string; readonly Key: string },
  localPath: string,
  sizeBytes: number,
  options: { readonly signal?: AbortSignal | undefined; readonly ifAbsent?: boolean } = {},
): Promise<void> {
  const { signal, ifAbsent } = options;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target), { abortSignal: signal });
  const partBytes = Math.max(PART_MIN_BYTES, Math.ceil(sizeBytes / PARTS_MAX));
  const count = Math.ceil(sizeBytes / partBytes);
  const parts: CompletedPart[] = new Array<CompletedPart>(count);
  const file = await open(localPath, 'r');
  try {
    await forEachLimited(
      Array.from({ length: count }, (_, index) => index),
      PARALLEL_PARTS,
      async (index) => {
        const start = index * partBytes;
        const Body = Buffer.allocUnsafe(Math.min(partBytes, sizeBytes - start));
        const { bytesRead } = await file.read(Body, 0, Body.length, start);
        if (bytesRead !== Body.length) throw new Error(`${localPath} became shorter while it was uploaded`);
        const part = { ...target, UploadId, PartNumber: index + 1, Body };
        const { ETag } = await client.send(new UploadPartCommand(part), { abortSignal: signal });
        parts[index] = { ETag, PartNumber: index + 1 };
      },
    );
    const condition = ifAbsent ? { IfNoneMatch: '*' } : {};
    const whole = { ...target, UploadId, MultipartUpload: { Parts: parts }, ...condition };
    await client.send(new CompleteMultipartUploadCommand(whole), { abortSignal: signal });
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}
