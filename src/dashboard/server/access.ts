/** Who is asking, and whether they may: a session cookie with a CSRF header for changes, or an API token. */
import '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DatalabError } from '../../contracts/errors.js';
import type { DashboardDeps } from './deps.js';
import { fingerprint, sameText } from './secrets.js';
import { ROLES, type Role } from './store.js';

export interface Caller {
  readonly name: string;
  readonly role: Role;
  /** Of a session; null for a token, which a browser never sends by itself. */
  readonly csrf: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** The least role that may call it; `anyone` needs no sign-in. Default: viewer, for changes operator. */
    access?: Role | 'anyone';
    /** What a change is called in the audit log. */
    audit?: string;
    /** The command of `datalab` that does the same; null: there is no use for it outside of a browser. */
    cli?: string | null;
  }
}

export const SESSION_COOKIE = 'datalab_session';
export const CSRF_HEADER = 'x-datalab-csrf';
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A refusal with its HTTP status. */
export class Refusal extends DatalabError {
  constructor(
    readonly status: 401 | 403,
    message: string,
  ) {
    super('ACCESS_REFUSED', message);
  }
}

export function guard(app: FastifyInstance, deps: DashboardDeps): void {
  app.decorateRequest('caller', null);
  const names = allowedHosts(deps.config.dashboard);
  app.addHook('onRequest', async (request) => {
    // A page of another name that resolves to this machine must not be able to read us.
    if (names !== null && !names.has(hostOf(request)))
      throw new Refusal(403, `this dashboard does not answer to the name '${hostOf(request).slice(0, 80)}'`);
    if (!request.url.startsWith('/api/')) return;
    request.caller = await callerOf(request, deps);
    const wanted = request.routeOptions.config.access ?? (READS.has(request.method) ? 'viewer' : 'operator');
    if (wanted === 'anyone') return;
    if (!request.caller) throw new Refusal(401, 'sign in first');
    if (ROLES.indexOf(request.caller.role) < ROLES.indexOf(wanted))
      throw new Refusal(
        403,
        `this needs the role ${wanted}; ${request.caller.name} has ${request.caller.role}`,
      );
    const { csrf } = request.caller;
    if (READS.has(request.method) || csrf === null) return;
    const sent = request.headers[CSRF_HEADER];
    if (typeof sent !== 'string' || !sameText(sent, csrf))
      throw new Refusal(403, 'the request did not come from the page of this session');
  });
  app.addHook('onResponse', (request, reply) => record(request, reply, deps));
}

async function callerOf(request: FastifyRequest, { store }: DashboardDeps): Promise<Caller | null> {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) {
    const token = await store.token(fingerprint(bearer));
    return token ? { name: `token:${token.name}`, role: token.role, csrf: null } : null;
  }
  const cookie = request.cookies[SESSION_COOKIE];
  if (!cookie) return null;
  const session = await store.session(fingerprint(cookie));
  return session ? { name: session.user, role: session.role, csrf: session.csrf } : null;
}

/** Changes of state, also those that were refused or failed. Bodies of secrets are never in it. */
async function record(request: FastifyRequest, reply: FastifyReply, { store, log }: DashboardDeps) {
  const { audit } = request.routeOptions.config;
  if (READS.has(request.method) || audit === undefined) return;
  const params = Object.values((request.params ?? {}) as Record<string, string>).join('/');
  const { password: _password, token: _token, ...body } = (request.body ?? {}) as Record<string, unknown>;
  await store
    .audit({
      who: request.caller?.name ?? (typeof body['name'] === 'string' ? body['name'] : 'nobody'),
      role: request.caller?.role ?? '-',
      action: audit,
      target: params.slice(0, 300),
      detail: Object.keys(body).length === 0 ? '' : JSON.stringify(body),
      outcome: reply.statusCode < 400 ? 'done' : `refused (${reply.statusCode})`,
    })
    .catch((error: unknown) => log.error({ err: error }, 'the audit log could not be written'));
}

function hostOf({ headers }: FastifyRequest): string {
  return (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
}

/** Null: listening beyond this machine without a public address, where no name can be told wrong. */
function allowedHosts({ host, publicUrl }: DashboardDeps['config']['dashboard']): ReadonlySet<string> | null {
  const isLocal = ['127.0.0.1', 'localhost', '::1'].includes(host);
  if (!isLocal && publicUrl === undefined) return null;
  const names = ['127.0.0.1', 'localhost', '[::1]', ...(isLocal ? [] : [host])];
  return new Set(publicUrl === undefined ? names : [...names, new URL(publicUrl).hostname]);
}
