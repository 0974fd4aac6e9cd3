/**
 * Hands the audit log on to the lake: what it does not have yet is left in its inbox every few seconds, and a workflow puts it
 * into `meta.dashboard_audit`. A lake that is away is tried again; what was left twice is told by its place and taken once.
 */
import { AUDIT_LOG_PREFIX, type AuditRecord } from '../../contracts/audit-log.js';
import { leaveInInbox } from '../../lake/inbox.js';
import type { DashboardDeps } from './deps.js';

const EVERY_MS = 15_000;
const ENTRIES_MAX = 5000;
/** How long the end of the server waits for a lake that may be away: what is left goes out at the next start. */
const PATIENCE_MS = 2000;

type OutboxDeps = Pick<DashboardDeps, 'store' | 'lake' | 'log'>;

export class AuditOutbox {
  private flushing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly deps: OutboxDeps) {
    this.timer = setInterval(() => void this.flush(), EVERY_MS);
    this.timer.unref();
  }

  /** Leaves what waits. Never fails: the log itself is in the store. */
  flush(): Promise<void> {
    this.flushing = this.flushing
      .then(() => leave(this.deps))
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'the audit log waits for the lake'));
    return this.flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([this.flush(), late]);
    clearTimeout(timer);
  }
}

async function leave({ store, lake }: OutboxDeps): Promise<void> {
  const source = await store.identity();
  for (;;) {
    const entries = await store.auditUnsent(ENTRIES_MAX);
    const last = entries.at(-1);
    if (!last) return;
    const records = entries.map(({ id, detail, ...entry }): AuditRecord => {
      // Whoever may read the lake may read this: the text of a query stays here, as it does in the log of queries.
      return { source, sequence: id, ...entry, detail: entry.action === 'query' ? '' : detail };
    });
    await leaveInInbox(lake.store, AUDIT_LOG_PREFIX, records, Date.now());
    await store.auditSent(last.id);
  }
}
