/** A file behind an address that never ends: half of it comes at once, then a byte a second, so that nobody gives it up. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HeldFeed {
  readonly url: string;
  /** Who reads it now. */
  readers(): number;
  close(): Promise<void>;
}

export const FEED_BYTES = 2_000_000;

export async function heldFeed(): Promise<HeldFeed> {
  let readers = 0;
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/csv', 'content-length': FEED_BYTES, etag: '"held"' });
    if (request.method === 'HEAD') return void response.end();
    readers++;
    response.write(Buffer.alloc(FEED_BYTES / 2, 'id,price\n1,2\n'));
    const drip = setInterval(() => response.write('1'), 1000);
    response.on('close', () => {
      clearInterval(drip);
      readers--;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/trades.csv`,
    readers: () => readers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
