/**
 * What the tests of maintenance beside writers have in common: processes that are killed at random, the plain model of
 * their numbered operations, and what every version of a table must hold by it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  checkoutScan,
  DeltaTable,
  type CommitInfo,
  type Engine,
  type ObjectStore,
} from '../../src/delta/index.js';

const ACTOR = fileURLToPath(new URL('maintenance-actor.mjs', import.meta.url));

export type Operation = { readonly writer: string; readonly number: number } & (
  | { readonly kind: 'append'; readonly from: number; readonly count: number }
  | {
      readonly kind: 'delete' | 'update';
      readonly modulus: number;
      readonly rest: number;
      readonly by: number;
    }
);
export type Rows = ReadonlyMap<string, number>;

/** The operation applied to the rows by `writer id`; values as numbers. */
export function apply(rows: Rows, operation: Operation): Rows {
  const next = new Map(rows);
  if (operation.kind === 'append') {
    for (let i = 0; i < operation.count; i += 1) next.set(`${operation.writer} ${operation.from + i}`, i);
    return next;
  }
  for (const [key, value] of rows) {
    if (Number(key.split(' ')[1]) % operation.modulus !== operation.rest) continue;
    if (operation.kind === 'delete') next.delete(key);
    else next.set(key, value + operation.by);
  }
  return next;
}

export const sorted = (rows: Rows): string[] => [...rows].map(([key, value]) => `${key} ${value}`).sort();

/** What has happened to one table, as its log tells it, and what every version must hold. */
export class Ledger {
  readonly infos: CommitInfo[] = [];
  readonly states: Rows[] = [];

  constructor(
    readonly table: DeltaTable,
    /** How long what left the table is kept. */
    private readonly retentionMs: number,
    /** What a commit of retention leaves. */
    private readonly retained: (rows: Rows) => Rows = (rows) => rows,
  ) {}

  /** Takes in new versions; none is skipped, since logs are kept longer than this is apart. */
  async follow(): Promise<number> {
    const { version } = await this.table.snapshot();
    for (let next = this.infos.length; next <= version; next += 1) {
      const info = await this.table.commitInfo(next);
      const { op: operation, datalab: note } = info as { op?: Operation; datalab?: { kind: string } };
      this.infos.push(info);
      const before = this.states.at(-1) ?? new Map<string, number>();
      this.states.push(
        operation ? apply(before, operation) : note?.kind === 'retention' ? this.retained(before) : before,
      );
    }
    return version;
  }

  landed(): Operation[] {
    return this.infos.flatMap((info) => {
      const { op } = info as { op?: Operation };
      return op ? [op] : [];
    });
  }

  /** Whether everything that the version needs must still be there: it was the newest within the retention. */
  isKept(version: number): boolean {
    const successor = this.infos[version + 1]?.timestamp;
    return successor === undefined || Date.now() - successor < this.retentionMs;
  }
}

/** One process that is killed and begun again; a writer goes on with what was not acknowledged. */
export class Actor {
  readonly said: Array<Record<string, unknown>> = [];
  kills = 0;
  #first = 1;
  #child: ChildProcess | undefined;
  #stopped = false;

  constructor(
    readonly name: string,
    private readonly request: object,
    private readonly random: () => number,
  ) {}

  async run(): Promise<void> {
    while (!this.#stopped) {
      const request = {
        ...this.request,
        name: this.name,
        first: this.#first + (this.isWriter ? 0 : this.kills),
      };
      const child = spawn(process.execPath, [ACTOR, JSON.stringify(request)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      this.#child = child;
      // Some die while they begin. The others live for some words, however long those take on a busy machine, and die at
      // some moment of what comes next.
      let words = this.random() < 0.2 ? 0 : 1 + Math.floor(this.random() ** 2 * 12);
      const die = (ms: number): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), ms);
      let timer = this.random() < 0.1 ? die(500) : undefined;
      const lastMs = this.random() * 1500;
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const heard = JSON.parse(line) as Record<string, unknown>;
        if (words === 0) timer ??= die(lastMs);
        words -= 1;
        if ('begun' in heard) return;
        this.said.push(heard);
        if (typeof heard['acknowledged'] === 'number') this.#first = heard['acknowledged'] + 1;
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await ended;
      clearTimeout(timer);
      this.kills += child.signalCode === 'SIGKILL' && !this.#stopped ? 1 : 0;
    }
  }

  get isWriter(): boolean {
    return this.name.startsWith('writer');
  }

  acknowledged(): number[] {
    return this.said.flatMap(({ acknowledged, status }) =>
      typeof acknowledged === 'number' && status !== 'unchanged' ? [acknowledged] : [],
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#child?.kill('SIGKILL');
  }
}

export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** All rows of one version, read by somebody who knows nothing of the table yet. */
export async function rowsAt(
  store: ObjectStore,
  engine: Engine,
  folder: string,
  version: number,
): Promise<string[]> {
  const fresh = new DeltaTable(store, { engine, scratchDirectory: folder });
  const scan = await checkoutScan(store, await fresh.snapshot({ version }));
  const session = await engine.open({ inputs: scan.inputs });
  try {
    const rows = await session.rows<{ row: string }>(
      `SELECT concat_ws(' ', writer, id, value) AS row FROM ${engine.relation(scan.plan)} ORDER BY row`,
    );
    return rows.map(({ row }) => row).sort();
  } finally {
    await session.close();
    scan.release();
  }
}
