/** Sources behind an address, from a real server on this machine. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadHttp, listHttp } from '../../src/connectors/sources/http.js';
import { openSources } from '../../src/connectors/sources/index.js';
import { Lab } from '../activities/lab.js';

const MODIFIED = 'Wed, 01 May 2024 00:00:00 GMT';
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('a file behind an address', () => {
  let folder: string;
  let server: Server;
  let base: string;
  let asked: string[];
  let answers: Record<string, Answer>;
  const reader = openSources({ projectDirectory: '/' });

  const file =
    (text: string, headers: Record<string, string> = {}): Answer =>
    (request, response) => {
      response.writeHead(200, { 'content-length': Buffer.byteLength(text), ...headers });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
  const goTo =
    (location: string): Answer =>
    (_request, response) =>
      response.writeHead(302, { location }).end();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'datalab-http-'));
    asked = [];
    answers = {};
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const answer = answers[request.url ?? ''];
      if (answer) answer(request, response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  it('is listed by its headers and fetched with its hash', async () => {
    answers['/a.csv'] = file('id\n1\n', { etag: '"v1"', 'last-modified': MODIFIED });
    const [listed] = await reader.list(`${base}/a.csv`);
    expect(listed).toEqual({
      path: `${base}/a.csv`,
      sizeBytes: 5,
      modifiedMs: Date.parse(MODIFIED),
      etag: '"v1"',
    });
    expect(asked).toEqual(['HEAD /a.csv']);
    if (!listed) return;
    const told: number[] = [];
    const local = await reader.download(listed, folder, { onBytes: (bytes) => told.push(bytes) });
    expect(told.reduce((sum, bytes) => sum + bytes, 0)).toBe(5);
    expect(readFileSync(local.localPath, 'utf8')).toBe('id\n1\n');
    expect(local).toMatchObject({ ...listed, sourceId: local.contentHash });
    expect(local.sourceId).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is asked for with GET where there is no HEAD, and followed over redirects', async () => {
    const get = file('id\n1\n', { 'last-modified': MODIFIED });
    answers['/real'] = (request, response) =>
      request.method === 'HEAD' ? response.writeHead(405).end() : get(request, response);
    answers['/a'] = goTo('/b');
    answers['/b'] = goTo(`${base}/real`);
    const [listed] = await reader.list(`${base}/a`);
    expect(listed).toMatchObject({ path: `${base}/a`, sizeBytes: 5 });
    if (listed) expect((await reader.download(listed, folder)).sizeBytes).toBe(5);
  });

  it('fails by what is the matter', async () => {
    answers['/loop'] = goTo('/loop');
    answers['/away'] = goTo('ftp://127.0.0.1/x');
    answers['/broken'] = (_request, response) => response.writeHead(503).end();
    answers['/silent?key=secret'] = () => undefined;
    await expect(reader.list(`${base}/none`)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    for (const path of ['/loop', '/away', '/broken'])
      await expect(reader.list(`${base}${path}`)).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        retry: true,
      });
    await expect(listHttp({ timeoutMs: 200 }, `${base}/silent?key=secret`)).rejects.toThrow(
      `${base}/silent: nothing came for 0.2 s`,
    );
    await expect(reader.list('http://127.0.0.1:1/x')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  it('fails when it is not what was listed, or stops in the middle, and leaves nothing', async () => {
    answers['/a'] = file('id\n1\n', { etag: '"v1"', 'last-modified': MODIFIED });
    const [listed] = await reader.list(`${base}/a`);
    if (!listed) throw new Error('not listed');
    answers['/a'] = file('id\n2\n', { etag: '"v2"', 'last-modified': MODIFIED });
    await expect(reader.download(listed, folder)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    delete answers['/a'];
    await expect(reader.download(listed, folder)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    answers['/a'] = (_request, response) => {
      response.writeHead(200, { 'content-length': 5, etag: '"v1"', 'last-modified': MODIFIED });
      response.write('id\n');
    };
    await expect(downloadHttp({ timeoutMs: 200 }, listed, folder)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is read once by two runs, also from a server that tells no version', async () => {
    const lab = new Lab();
    try {
      lab.edit('dataset.yaml', lab.datasetText().replace('in/*.csv', `${base}/sales.csv`));
      answers['/sales.csv'] = file('id,name,amount\n1,ann,10\n');
      expect((await lab.run()).bronze?.ledger).toMatchObject({ read: 1, accepted: 1 });
      const again = await lab.run();
      expect(again.discovery.fresh).toBe(1);
      expect(again.bronze).toBeNull();
      answers['/sales.csv'] = file('id,name,amount\n1,ann,20\n');
      await lab.run();
      expect(await lab.rows('silver/sales', 'amount')).toEqual([{ amount: 20 }]);

      answers['/sales.csv'] = file('id,name,amount\n1,ann,30\n', {
        'last-modified': new Date().toUTCString(),
      });
      await lab.run();
      expect((await lab.run()).discovery).toMatchObject({ listed: 1, fresh: 0 });
    } finally {
      lab.close();
    }
  });
});
