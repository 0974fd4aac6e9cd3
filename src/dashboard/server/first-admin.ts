/** One-time links that make an administrator: printed at the first start, and by whoever may read the store's folder. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fingerprint, newSecret } from './secrets.js';
import type { Store } from './store.js';

const HOURS = 24;
const fileOf = (store: Store): string => path.join(store.directory, 'admin-link');

/** A link that works once, within a day. The secret is behind `#`, which browsers do not send and servers do not log. */
export async function makeAdminLink(store: Store, baseUrl: string): Promise<string> {
  const secret = newSecret();
  await store.addLink(fingerprint(secret), 'admin', Date.now() + HOURS * 3600_000);
  return `${baseUrl}/welcome#${secret}`;
}

/** Keeps a link in a file that only the owner reads while there is no user. Returns it, or null where there are users. */
export async function firstAdminLink(store: Store, baseUrl: string): Promise<string | null> {
  if ((await store.countUsers()) > 0) {
    forgetAdminLink(store);
    return null;
  }
  const link = await makeAdminLink(store, baseUrl);
  writeFileSync(fileOf(store), `${link}\n`, { mode: 0o600 });
  return link;
}

export function forgetAdminLink(store: Store): void {
  rmSync(fileOf(store), { force: true });
}
