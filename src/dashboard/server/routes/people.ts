/** Signing in and out, the first administrator, users and API tokens. */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CSRF_HEADER, Refusal, SESSION_COOKIE } from '../access.js';
import { forgetAdminLink } from '../first-admin.js';
import { fingerprint, hashPassword, newSecret, passwordHolds } from '../secrets.js';
import type { App, RouteContext } from '../server.js';
import { done } from '../shapes/common.js';
import { people, secret as secretShape, session } from '../shapes/people.js';
import { ROLES } from '../store.js';
import { DatalabError } from '../../../contracts/errors.js';

const name = z.string().regex(/^[a-z][a-z0-9._-]{0,62}$/i, 'letters, digits, . _ -');
const password = z.string().min(12, 'at least 12 characters').max(200);
const TRIES = { max: 10, timeWindow: '1 minute' } as const;

/** Makes a session and hands it to the browser. */
type SignIn = (reply: FastifyReply, user: string) => Promise<void>;

export async function peopleRoutes(app: App, { deps }: RouteContext): Promise<void> {
  const { store } = deps;
  const { sessionHours, publicUrl } = deps.config.dashboard;
  const signIn: SignIn = async (reply, user) => {
    const secret = newSecret();
    await store.addSession(fingerprint(secret), user, newSecret(), Date.now() + sessionHours * 3600_000);
    void reply.setCookie(SESSION_COOKIE, secret, {
      httpOnly: true,
      sameSite: 'strict',
      secure: publicUrl?.startsWith('https:') ?? false,
      path: '/',
      maxAge: sessionHours * 3600,
    });
  };
  await sessionRoutes(app, { deps }, signIn);
  await managePeople(app, { deps });
}

async function sessionRoutes(
  app: App,
  { deps: { store } }: Pick<RouteContext, 'deps'>,
  signIn: SignIn,
): Promise<void> {
  app.get(
    '/api/session',
    {
      config: { access: 'anyone' },
      schema: {
        summary: 'Who is signed in, and the value of the CSRF header',
        security: [],
        response: { 200: session },
      },
    },
    async ({ caller }) => ({
      user: caller && { name: caller.name, role: caller.role },
      csrf: caller?.csrf ?? null,
      csrfHeader: CSRF_HEADER,
      hasUsers: (await store.countUsers()) > 0,
    }),
  );

  app.post(
    '/api/login',
    {
      config: { access: 'anyone', audit: 'sign in', cli: null, rateLimit: TRIES },
      schema: {
        summary: 'Sign in with a password',
        security: [],
        body: z.object({ name, password: z.string().max(200) }),
        response: { 200: done },
      },
    },
    async ({ body }, reply) => {
      const user = await store.user(body.name);
      if (!(await passwordHolds(user?.passwordHash, body.password)))
        throw new Refusal(401, 'the name or the password is wrong');
      await signIn(reply, body.name);
      return { done: true };
    },
  );

  app.post(
    '/api/logout',
    {
      config: { access: 'viewer', audit: 'sign out', cli: null },
      schema: { summary: 'End this session', response: { 200: done } },
    },
    async (request, reply) => {
      const secret = request.cookies[SESSION_COOKIE];
      if (secret) await store.removeSession(fingerprint(secret));
      void reply.clearCookie(SESSION_COOKIE, { path: '/' });
      return { done: true };
    },
  );

  app.post(
    '/api/welcome',
    {
      config: { access: 'anyone', audit: 'use a one-time link', cli: null, rateLimit: TRIES },
      schema: {
        summary: 'Use a one-time link: makes the user that it is for, and signs in',
        security: [],
        body: z.object({ token: z.string().max(100), name, password }),
        response: { 200: done },
      },
    },
    async ({ body }, reply) => {
      if (await store.user(body.name))
        throw new DatalabError('INPUT_INVALID', `there is a user ${body.name} already`);
      const role = await store.takeLink(fingerprint(body.token));
      if (!role) throw new Refusal(403, 'this link was used, is older than a day, or never was one');
      await store.addUser({ name: body.name, role, passwordHash: await hashPassword(body.password) });
      forgetAdminLink(store);
      await signIn(reply, body.name);
      return { done: true };
    },
  );
}

async function managePeople(app: App, { deps: { store } }: Pick<RouteContext, 'deps'>): Promise<void> {
  const named = z.object({ name });
  app.get(
    '/api/users',
    { config: { access: 'admin' }, schema: { summary: 'Users and API tokens', response: { 200: people } } },
    async () => ({
      users: await store.users(),
      tokens: await store.tokens(),
    }),
  );

  app.post(
    '/api/users',
    {
      config: { access: 'admin', audit: 'add user', cli: 'dashboard users add' },
      schema: {
        summary: 'Add a user',
        body: z.object({ name, role: z.enum(ROLES), password }),
        response: { 200: done },
      },
    },
    async ({ body }) => {
      const added = await store.addUser({ ...body, passwordHash: await hashPassword(body.password) });
      if (!added) throw new DatalabError('INPUT_INVALID', `there is a user ${body.name} already`);
      return { done: true };
    },
  );

  app.delete(
    '/api/users/:name',
    {
      config: { access: 'admin', audit: 'remove user', cli: 'dashboard users remove' },
      schema: {
        summary: 'Remove a user and end its sessions',
        params: named,
        response: { 200: done },
      },
    },
    async ({ params, caller }) => {
      if (caller?.name === params.name)
        throw new DatalabError('INPUT_INVALID', 'nobody can remove themselves');
      return { done: await store.removeUser(params.name) };
    },
  );

  app.post(
    '/api/tokens',
    {
      config: { access: 'admin', audit: 'make API token', cli: 'dashboard tokens add' },
      schema: {
        summary: 'Make an API token; its secret is shown this once',
        body: z.object({ name, role: z.enum(ROLES) }),
        response: { 200: secretShape },
      },
    },
    async ({ body, caller }) => {
      const secret = newSecret();
      if (!(await store.addToken(fingerprint(secret), body.name, body.role, caller?.name ?? '')))
        throw new DatalabError('INPUT_INVALID', `there is a token ${body.name} already`);
      return { secret };
    },
  );

  app.delete(
    '/api/tokens/:name',
    {
      config: { access: 'admin', audit: 'remove API token', cli: 'dashboard tokens remove' },
      schema: { summary: 'Remove an API token', params: named, response: { 200: done } },
    },
    async ({ params }) => ({ done: await store.removeToken(params.name) }),
  );
}
