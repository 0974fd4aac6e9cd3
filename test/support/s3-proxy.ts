/** A proxy in front of the real S3 gateway, so that a test can act at the very moment of a request. */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** Path of the object, bucket included, without the query. */
  readonly path: string;
}

/** Called before a request is forwarded, and again when the gateway has answered and the client has not heard of it. */
export type Hook = (seen: SeenRequest, moment: 'before' | 'after') => Promise<void> | void;

export class S3Proxy {
  hook: Hook = () => undefined;
  private constructor(
    private readonly server: Server,
    readonly endpoint: string,
  ) {}

  static async start(gateway: string): Promise<S3Proxy> {
    const { hostname, port } = new URL(gateway);
    const server = createServer((incoming, outgoing) => {
      const seen = {
        method: incoming.method ?? '',
        path: decodeURIComponent((incoming.url ?? '').split('?')[0] ?? ''),
      };
      void (async () => {
        await proxy.hook(seen, 'before');
        // The signature covers the Host header, so it is passed on as it came.
        const forwarded = request(
          { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
          (answer) => {
            void (async () => {
              await proxy.hook(seen, 'after');
              outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
              answer.pipe(outgoing);
            })();
          },
        );
        forwarded.on('error', () => outgoing.destroy());
        incoming.pipe(forwarded);
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new S3Proxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return proxy;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
