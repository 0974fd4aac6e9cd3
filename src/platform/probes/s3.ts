/** Asks an S3 gateway in its own protocol. */
import { CreateBucketCommand, ListObjectsV2Command, S3Client, S3ServiceException } from '@aws-sdk/client-s3';

export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
}

const TIMEOUT_MS = 3000;

/** Lists the bucket with the given keys; a bucket that is not made yet answers too. Throws on anything else. */
export async function probeS3(access: S3Access): Promise<string> {
  return withClient(access, async (client) => {
    try {
      await client.send(new ListObjectsV2Command({ Bucket: access.bucket, MaxKeys: 1 }), {
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return `bucket ${access.bucket} lists`;
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') return 'no bucket yet';
      throw error;
    }
  });
}

/** Creates the bucket unless it is there. */
export async function createBucket(access: S3Access): Promise<void> {
  await withClient(access, async (client) => {
    try {
      await client.send(new CreateBucketCommand({ Bucket: access.bucket }), {
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const there = ['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'];
      if (!(error instanceof S3ServiceException && there.includes(error.name))) throw error;
    }
  });
}

async function withClient<T>(access: S3Access, work: (client: S3Client) => Promise<T>): Promise<T> {
  const { endpoint, region, accessKeyId, secretAccessKey } = access;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
