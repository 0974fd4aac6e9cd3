/** The real activities over a lake in memory or in a folder, the real engine, and a tiny dataset in a folder of its own. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ActivityDeps } from '../../src/activities/deps.js';
import { createActivities } from '../../src/activities/index.js';
import type { StagingManifest } from '../../src/activities/staging.js';
import { parse as parseYaml } from 'yaml';
import { parseConfig } from '../../src/config/config.js';
import { parseDataset } from '../../src/config/dataset.js';
import { loadDataset } from '../../src/config/datasets.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { LocalObjectStore, MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import { openSources } from '../../src/connectors/sources/index.js';
import type {
  Discovery,
  EtlActivities,
  PlannedRun,
  Published,
  Staged,
} from '../../src/contracts/activities.js';
import { DatalabError } from '../../src/contracts/errors.js';
import type { EventEnvelope } from '../../src/contracts/events.js';
import type { LineageEvent } from '../../src/contracts/lineage.js';
import type { EtlOptions } from '../../src/contracts/flows.js';
import type { ReplayActivities } from '../../src/contracts/replay.js';
import { checkoutScan, DeltaTable, type ObjectStore } from '../../src/delta/index.js';

export const HEADER = 'id,name,amount\n';
const DAY_MS = 24 * 3600_000;
/** Failures are what many tests want; the SDK would print each of them. */
const QUIET = new DefaultLogger('ERROR');

const DATASET = `
name: sales
source: { location: in/*.csv, format: csv }
columns:
  - { name: id, type: long }
  - { name: name, type: string }
  - { name: amount, type: double }
key: [id]
silver:
  sql: silver.sql
  rules: [{ name: amount_negative, must: amount >= 0, reason: the amount is negative }]
gold:
  - { table: totals, sql: totals.sql }
  - { table: sizes, sql: sizes.sql }
checks: [{ kind: row_count, severity: block, min: 1 }]
`;
export const SILVER_SQL =
  'SELECT id, upper(name) AS name, amount, _source_id, _source_file, _source_line, _source_modified_at, _ingested_at, _run_id FROM bronze.sales';

/** What a whole run did, step by step. */
export interface RunOutcome {
  readonly run: PlannedRun;
  readonly discovery: Discovery;
  readonly bronze: Published | null;
  readonly silver: Published | null;
  readonly gold: Readonly<Record<string, Published | null>>;
  /** The `write` steps of Silver and Gold by table, as they were recorded. */
  readonly written: Readonly<Record<string, Staged>>;
}

/** The broker's port: keeps what it was sent, or refuses it. */
export class Inbox {
  readonly received: Array<{ topic: string; event: EventEnvelope<unknown> }> = [];
  readonly lineage: Array<{ topic: string; event: LineageEvent }> = [];
  /** Called before a batch is taken in. */
  before: () => void = () => undefined;
  /** Called once a batch is taken in. */
  after: () => void = () => undefined;

  down(): void {
    this.before = () => {
      throw new DatalabError('EVENTS_UNAVAILABLE', 'nobody listens');
    };
  }

  up(): void {
    this.before = () => undefined;
  }

  async send(topic: string, events: ReadonlyArray<EventEnvelope<unknown>>): Promise<void> {
    this.before();
    this.received.push(...events.map((event) => ({ topic, event })));
    this.after();
    return Promise.resolve();
  }

  async sendLineage(topic: string, events: readonly LineageEvent[]): Promise<void> {
    this.before();
    this.lineage.push(...events.map((event) => ({ topic, event })));
    return Promise.resolve();
  }

  ids(): string[] {
    return this.received.map(({ event }) => event.id);
  }
}

/** What a lab with a lake in a folder had come to, for others to go on from. */
export interface LabState {
  /** Where it was, and where those that go on from it are: sources are known by their paths. */
  readonly folder: string;
  readonly copy: string;
  readonly runs: number;
}

interface LabOptions {
  readonly lake?: 'memory' | 'folder';
  readonly deps?: (lab: Lab) => Partial<ActivityDeps>;
  /** One at a time: they share a folder. */
  readonly state?: LabState;
}

export class Lab {
  readonly folder: string;
  readonly scratch: string;
  readonly inbox = new Inbox();
  readonly deps: ActivityDeps;
  readonly etl: EtlActivities & ReplayActivities;
  /** Passes a second at every question, so that what came later is later. */
  nowMs = Date.UTC(2024, 0, 1);
  newId: () => string = randomUUID;
  #runs = 0;

  constructor(options: LabOptions = {}) {
    this.folder = options.state?.folder ?? mkdtempSync(path.join(tmpdir(), 'datalab-activities-'));
    this.scratch = path.join(this.folder, 'scratch');
    if (options.state) {
      cpSync(options.state.copy, this.folder, { recursive: true, preserveTimestamps: true });
      this.#runs = options.state.runs;
    }
    mkdirSync(path.join(this.folder, 'in'), { recursive: true });
    this.edit('dataset.yaml', DATASET);
    this.edit('silver.sql', SILVER_SQL);
    this.edit('totals.sql', 'SELECT name, sum(amount) AS total FROM silver.sales GROUP BY name');
    this.edit('sizes.sql', 'SELECT count(*) AS size FROM silver.sales');
    const config = parseConfig('', {});
    const clock = { nowMs: () => (this.nowMs += 1000) };
    this.deps = {
      config,
      lake:
        options.lake === 'folder'
          ? new LocalObjectStore(path.join(this.folder, 'lake'))
          : new MemoryObjectStore('lake', clock),
      engine: createDuckDbEngine({
        memoryLimit: '500MB',
        threads: 2,
        spillDirectory: path.join(this.folder, 'spill'),
      }),
      backup: null,
      rowParquet: createRowParquet(),
      isExpected: (_, logicalTime) => Promise.resolve(logicalTime.endsWith(':00.000Z')),
      sources: openSources({ projectDirectory: this.folder }),
      events: this.inbox,
      loadDataset: (name) => loadDataset(path.join(this.folder, 'datasets'), name, config.quality),
      clock,
      newId: () => this.newId(),
      scratchDirectory: this.scratch,
      log: () => undefined,
    };
    this.deps = { ...this.deps, ...options.deps?.(this) };
    this.etl = createActivities(this.deps);
  }

  /** Keeps a copy of everything; whoever takes it removes it. */
  saved(): LabState {
    const copy = mkdtempSync(path.join(tmpdir(), 'datalab-saved-'));
    cpSync(this.folder, copy, { recursive: true, preserveTimestamps: true });
    return { folder: this.folder, copy, runs: this.#runs };
  }

  /** Writes a file of the dataset's folder. */
  edit(file: string, text: string): void {
    const folder = path.join(this.folder, 'datasets', 'sales');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }

  datasetText(): string {
    return DATASET;
  }

  /** Puts a source where the dataset looks for it. Lines come without the header. */
  source(name: string, ...lines: string[]): string {
    const file = path.join(this.folder, 'in', name);
    writeFileSync(file, HEADER + lines.map((line) => `${line}\n`).join(''));
    return file;
  }

  /** A run that is planned by the definition as it is now. */
  newRun(): PlannedRun {
    const number = ++this.#runs;
    return {
      fingerprint: this.#fingerprint(),
      executionId: `execution-${number}`,
      runId: `run-${number}`,
      workflowId: `sales-${number}`,
      dataset: 'sales',
      logicalTime: new Date(Date.UTC(2024, 0, number)).toISOString(),
    };
  }

  #fingerprint(): string {
    const folder = path.join(this.folder, 'datasets', 'sales');
    const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
    const sql = readdirSync(folder).filter((file) => file.endsWith('.sql'));
    const { quality } = this.deps.config;
    return parseDataset(
      'sales',
      parseYaml(read('dataset.yaml')),
      new Map(sql.map((file) => [file, read(file)])),
      quality,
    ).fingerprint;
  }

  /** Calls one activity as a worker would. */
  do<Name extends keyof (EtlActivities & ReplayActivities)>(
    name: Name,
    ...args: Parameters<(EtlActivities & ReplayActivities)[Name]>
  ): ReturnType<(EtlActivities & ReplayActivities)[Name]> {
    const environment = new MockActivityEnvironment({ activityType: name }, { logger: QUIET });
    const body = this.etl[name] as () => Promise<unknown>;
    const run = environment.run.bind(environment) as (...all: unknown[]) => Promise<unknown>;
    return run(body, ...args) as ReturnType<(EtlActivities & ReplayActivities)[Name]>;
  }

  /** Discovers and stages, up to the publish. */
  async stageBronze(run: PlannedRun): Promise<Staged & { manifest: string }> {
    const discovery = await this.do('discoverSources', run);
    if (discovery.manifest === null) throw new Error('nothing was discovered');
    return withManifest(await this.writeBronze(run, discovery));
  }

  /** Whole, or by shares side by side. */
  async writeBronze(run: PlannedRun, { manifest, shares = [] }: Discovery): Promise<Staged> {
    if (shares.length === 0) return this.do('writeBronze', run, manifest ?? '');
    const written = await Promise.all(
      shares.map((share, index) =>
        this.do('writeBronze', run, share, { number: index + 1, of: shares.length }),
      ),
    );
    return this.do('gatherBronze', run, written);
  }

  async stageSilver(run: PlannedRun, options: EtlOptions = {}): Promise<Staged & { manifest: string }> {
    return withManifest(await this.do('writeSilver', run, options));
  }

  async fillBronze(run = this.newRun()): Promise<Published> {
    return this.do('publish', run, (await this.stageBronze(run)).manifest);
  }

  /** One whole run as the workflow makes it, without recording and relaying. */
  async run(options: EtlOptions = {}, run = this.newRun()): Promise<RunOutcome> {
    const discovery = await this.do('discoverSources', run);
    let bronze: Published | null = null;
    if (discovery.manifest !== null) {
      const staged = await this.writeBronze(run, discovery);
      if (staged.manifest !== null) {
        const { verdict } = await this.do('auditBronze', run, staged);
        if (verdict.blocked) throw new Error('blocked');
        bronze = await this.do('publish', run, staged.manifest);
      }
    }
    const written: Record<string, Staged> = {};
    const fill = async (name: string, staged: Staged): Promise<Published | null> => {
      written[name] = staged;
      return staged.manifest === null ? null : this.do('publish', run, staged.manifest);
    };
    const silver = await fill('silver', await this.do('writeSilver', run, options));
    const gold: Record<string, Published | null> = {};
    for (const { table } of (await this.deps.loadDataset('sales')).gold)
      gold[table] = await fill(table, await this.do('writeGold', run, table, options));
    return { run, discovery, bronze, silver, gold, written };
  }

  table(name: string): DeltaTable {
    return new DeltaTable(this.store(name), { engine: this.deps.engine });
  }

  store(name: string): ObjectStore {
    return this.deps.lake.at(name);
  }

  /** Rows of a table as an outsider reads them; `sql` continues after FROM. */
  async rows<Row extends object>(name: string, columns = '*', sql = ''): Promise<Row[]> {
    const scan = await checkoutScan(this.store(name), await this.table(name).snapshot());
    const session = await this.deps.engine.open({ inputs: scan.inputs });
    try {
      return await session.rows<Row>(`SELECT ${columns} FROM ${this.deps.engine.relation(scan.plan)} ${sql}`);
    } finally {
      await session.close();
      scan.release();
    }
  }

  /** `layer source:line` of every refused row, sorted. */
  async refused(): Promise<string[]> {
    const at = "layer || ' ' || split(_source_file, '/')[-1] || ':' || _source_line";
    const rows = await this.rows<{ at: string }>('quarantine/sales', `${at} AS at`);
    return rows.map((row) => row.at).sort();
  }

  async version(name: string): Promise<number | undefined> {
    return (await this.table(name).snapshotIfExists())?.version;
  }

  /** A commit of somebody else that changes no row. */
  async foreignCommit(name: string): Promise<void> {
    const table = this.table(name);
    const base = await table.snapshot();
    await table.commit({
      base,
      actions: [{ txn: { appId: `somebody-${randomUUID()}`, version: 1 } }],
      operation: 'WRITE',
      read: 'nothing',
    });
  }

  async manifest(key: string): Promise<StagingManifest> {
    return JSON.parse(Buffer.from(await this.deps.lake.get(key)).toString()) as StagingManifest;
  }

  passDays(days: number): void {
    this.nowMs += days * DAY_MS;
  }

  /** What steps left behind. */
  leftovers(): string[] {
    return readdirSync(this.scratch).filter((name) => name !== 'spill');
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function withManifest(staged: Staged): Staged & { manifest: string } {
  if (staged.manifest === null) throw new Error(`nothing was staged: ${staged.step.detail}`);
  return { ...staged, manifest: staged.manifest };
}

/** The lake, with another store for one table. */
export function withTable(lake: ObjectStore, table: string, store: ObjectStore): ObjectStore {
  return new Proxy(lake, {
    get: (target, name) => {
      if (name === 'at') return (prefix: string) => (prefix === table ? store : lake.at(prefix));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
