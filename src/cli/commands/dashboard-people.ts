/** `datalab dashboard users | tokens | audit`: who may do what on the dashboard, from where its store is. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { Option, type Command } from 'commander';
import { loadConfig } from '../../config/config.js';
import { DatalabError } from '../../contracts/errors.js';
import { fingerprint, hashPassword, newSecret } from '../../dashboard/server/secrets.js';
import { ROLES, Store, type Role } from '../../dashboard/server/store.js';
import { positiveInteger } from '../options.js';
import { print } from '../session.js';
import { table } from '../text.js';

interface Flags {
  readonly role: Role;
  readonly json?: boolean;
}

const NAME = /^[a-z][a-z0-9._-]{0,62}$/i;
const PASSWORD_MIN = 12;
const by = `cli:${userInfo().username}`;

export function addDashboardPeople(dashboard: Command): void {
  const role = (): Option => new Option('--role <role>', 'what it may do').choices(ROLES).default('viewer');
  const users = dashboard.command('users').description('People who may sign in to the dashboard');
  listed(users, 'the users with their roles', (store) => store.users());
  users
    .command('add')
    .argument('<name>', 'letters, digits, . _ -')
    .description('add a user; the password comes from standard input')
    .addOption(role())
    .action((name: string, { role: given }: Flags) => withStore((store) => addUser(store, name, given)));
  removed(users, 'remove a user and end its sessions', 'remove user', (store, name) =>
    store.removeUser(name),
  );

  const tokens = dashboard.command('tokens').description('API tokens of the dashboard');
  listed(tokens, 'the tokens with their roles', (store) => store.tokens());
  tokens
    .command('add')
    .argument('<name>', 'letters, digits, . _ -')
    .description('make an API token; its secret is shown this once')
    .addOption(role())
    .option('--json', 'print JSON')
    .action((name: string, { role: given, json }: Flags) =>
      withStore(async (store) => {
        const secret = newSecret();
        if (!NAME.test(name) || !(await store.addToken(fingerprint(secret), name, given, by)))
          throw new DatalabError('INPUT_INVALID', `there is a token ${name} already, or it is no name`);
        await record(store, 'make API token', name, given);
        print(json, { name, role: given, secret }, secret);
      }),
    );
  removed(tokens, 'remove an API token', 'remove API token', (store, name) => store.removeToken(name));

  dashboard
    .command('audit')
    .description('changes of state that were asked for, newest first')
    .option('--limit <n>', 'how many', positiveInteger, 50)
    .option('--json', 'print JSON')
    .action(({ limit, json }: { limit: number; json?: boolean }) =>
      withStore(async (store) => {
        const { rows } = await store.auditLog({ limit, offset: 0 });
        const cells = rows.map(({ at, who, action, target, outcome }) => [at, who, action, target, outcome]);
        print(json, rows, table(['at (UTC)', 'who', 'action', 'target', 'outcome'], cells));
      }),
    );
}

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const { config, projectDirectory } = await loadConfig({
    projectDirectory: process.cwd(),
    env: process.env,
  });
  const store = await Store.open(path.resolve(projectDirectory, config.dashboard.directory));
  try {
    await body(store);
  } finally {
    store.close();
  }
}

function record(store: Store, action: string, target: string, detail: string): Promise<void> {
  return store.audit({ who: by, role: 'admin', action, target, detail, outcome: 'done' });
}

function listed(
  group: Command,
  description: string,
  read: (store: Store) => Promise<ReadonlyArray<{ name: string; role: string; createdAt: string }>>,
): void {
  group
    .command('list')
    .description(description)
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) =>
      withStore(async (store) => {
        const rows = await read(store);
        const cells = rows.map(({ name, role, createdAt }) => [name, role, createdAt]);
        print(json, rows, table(['name', 'role', 'since (UTC)'], cells));
      }),
    );
}

function removed(
  group: Command,
  description: string,
  action: string,
  remove: (store: Store, name: string) => Promise<boolean>,
): void {
  group
    .command('remove')
    .argument('<name>', 'as in the list')
    .description(description)
    .action((name: string) =>
      withStore(async (store) => {
        if (!(await remove(store, name))) throw new DatalabError('INPUT_INVALID', `there is no ${name}`);
        await record(store, action, name, '');
        process.stdout.write(`${name}: removed\n`);
      }),
    );
}

async function addUser(store: Store, name: string, role: Role): Promise<void> {
  const password = (await readFile('/dev/stdin', 'utf8')).replace(/\r?\n$/, '');
  if (password.length < PASSWORD_MIN)
    throw new DatalabError('INPUT_INVALID', `a password has at least ${PASSWORD_MIN} characters`);
  const passwordHash = await hashPassword(password);
  if (!NAME.test(name) || !(await store.addUser({ name, role, passwordHash })))
    throw new DatalabError('INPUT_INVALID', `there is a user ${name} already, or it is no name`);
  await record(store, 'add user', name, role);
  process.stdout.write(`${name}: added\n`);
}
