/** What a gateway that refuses, or is away, looks like: codes that say whether trying again may help. */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openObjectStore, type S3Options } from '../../src/connectors/object-store/index.js';
import { openSources } from '../../src/connectors/sources/index.js';
import type { ObjectStore } from '../../src/delta/index.js';
import { testStack, type TestStack } from '../support/stack.js';

describe('an S3 gateway', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await testStack('s3');
  });

  function store(s3: S3Options, bucket = stack.s3.bucket): ObjectStore {
    const cacheDirectory = path.join(tmpdir(), 'datalab-store-errors');
    return openObjectStore(`s3://${bucket}/errors`, { s3, cacheDirectory, cacheBytes: 2 ** 20 });
  }

  it.each([
    ['a wrong secret', () => store({ ...stack.s3, secretAccessKey: 'wrong-secret-0123456789' })],
    ['an unknown key', () => store({ ...stack.s3, accessKeyId: 'NOBODY0123456789' })],
    ['a bucket that is not there', () => store(stack.s3, 'no-such-bucket')],
  ])('is not asked again after it refused %s', async (_name, open) => {
    for (const ask of [
      () => open().put('key', Buffer.from('x')),
      () => open().putIfAbsent('key', Buffer.from('x')),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'STORE_REFUSED', retry: false });
    }
  });

  it('is named, not the source, where the keys for a source are wrong', async () => {
    const sources = openSources({
      projectDirectory: tmpdir(),
      s3: { ...stack.s3, accessKeyId: 'NOBODY0123456789' },
    });
    await expect(sources.list(`s3://${stack.s3.bucket}/in/*.csv`)).rejects.toMatchObject({
      code: 'STORE_REFUSED',
    });
  });

  it('is sent bodies at once, without asking whether it would take them', async () => {
    let asked = 0;
    let taken = 0;
    const server = createHttpServer((request, response) => {
      request.resume().on('end', () => {
        taken++;
        response.end();
      });
    });
    server.on('checkContinue', () => asked++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await store({ ...stack.s3, endpoint: `http://127.0.0.1:${port}` }).put('key', Buffer.alloc(3 * 2 ** 20));
    server.close();
    expect({ asked, taken }).toEqual({ asked: 0, taken: 1 });
  });

  it('may be asked again when nobody listens', async () => {
    // A port that was free a moment ago.
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const away = store({ ...stack.s3, endpoint: `http://127.0.0.1:${port}` });
    await expect(away.get('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retry: true });
  });
});
