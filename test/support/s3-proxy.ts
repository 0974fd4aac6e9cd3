/** A proxy in front of the real S3 gateway, so that a test can act at the very moment of a request. */
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** Path of the object, bucket included, without the query. */
  readonly path: string;
}

/** What the client gets instead of the gateway's answer: an error of S3, or a broken connection. */
export type Intervention = { readonly status: number; readonly code: string } | 'drop';

/**
 * Called before a request is forwarded, and again when the gateway has answered and the client has not heard of it. What
 * it returns takes the place of the answer; before the request, the gateway then never hears of it.
 */
export type Hook = (
  seen: SeenRequest,
  moment: 'before' | 'after',
  /** The gateway's own, once it has answered. */
  status?: number,
) => Promise<Intervention | void> | Intervention | void;

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
        const instead = await proxy.hook(seen, 'before');
        if (instead) {
          incoming.resume();
          intervene(outgoing, instead);
          return;
        }
        // The signature covers the Host header, so it is passed on as it came.
        const forwarded = request(
          { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
          (answer) => {
            void (async () => {
              const late = await proxy.hook(seen, 'after', answer.statusCode);
              if (late) {
                answer.resume();
                intervene(outgoing, late);
                return;
              }
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

function intervene(outgoing: ServerResponse, instead: Intervention): void {
  if (instead === 'drop') {
    outgoing.destroy();
    return;
  }
  const body = `<?xml version="1.0"?><Error><Code>${instead.code}</Code><Message>on purpose</Message></Error>`;
  outgoing.writeHead(instead.status, { 'content-type': 'application/xml', 'content-length': body.length });
  outgoing.end(body);
}
