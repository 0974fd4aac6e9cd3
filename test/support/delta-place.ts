/** An empty place for a Delta table that delta-rs reaches too: a folder, or a prefix on the S3 gateway of the tests. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LocalObjectStore, openObjectStore } from '../../src/connectors/object-store/index.js';
import type { ObjectStore } from '../../src/delta/index.js';
import type { DeltaLab } from './delta-lab.js';
import { testStack } from './stack.js';

/** The store, and the options with which delta-rs opens it. `prefix` parts the tests that share a bucket. */
export async function deltaPlace(
  lab: DeltaLab,
  kind: 'local files' | 'S3',
  prefix: string,
): Promise<{ store: ObjectStore; storage: Record<string, string> }> {
  if (kind === 'local files')
    return { store: new LocalObjectStore(join(lab.folder, randomUUID())), storage: {} };
  const { s3 } = await testStack('s3');
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3;
  const store = openObjectStore(`s3://${bucket}/${prefix}/${randomUUID()}`, {
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    cacheDirectory: join(lab.folder, 'cache'),
    cacheBytes: 1e8,
  });
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return {
    store,
    storage: { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true', ...keys },
  };
}
