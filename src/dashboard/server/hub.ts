/** What every page shares: each figure is asked once, however many browsers look, and not at all while nobody does. */
import type { AlertOverview } from '../../contracts/alerts.js';
import { alertsNow } from './alerts.js';
import { datasetsNow, newestDatasets, type DatasetRow, type DatasetsNow } from './datasets.js';
import type { DashboardDeps } from './deps.js';
import { listFlows, type FlowRow } from './flows.js';
import { derived, Section, type Measured } from './measured.js';
import { Records } from './records.js';
import { viewRun, type RunView } from './run-view.js';
import { runsNow, type RunsNow } from './runs.js';
import { servicesNow, type ServicesNow } from './services.js';
import type { LakeNow } from './shapes/lake.js';
import { lakeNow, TableBook } from './tables.js';

export interface Sections {
  readonly services: ServicesNow;
  readonly runs: RunsNow;
  readonly flows: readonly FlowRow[];
  readonly alerts: AlertOverview | null;
  readonly lake: LakeNow;
  readonly datasets: DatasetsNow;
}

export type SectionName = keyof Sections;

/** One message to a browser. */
export type LiveEvent =
  | {
      [Name in SectionName]: { readonly section: Name; readonly state: Measured<Sections[Name]> };
    }[SectionName]
  | { readonly section: 'run'; readonly state: Measured<RunView> };

type Listener = (event: LiveEvent) => void;

const TICK_MS = 500;

export class Hub {
  readonly records: Records;
  /** Every table and every dataset: for lists, which hand them out page by page. No browser gets them whole. */
  readonly tables: Section<Awaited<ReturnType<TableBook['describe']>>>;
  readonly datasets: Section<readonly DatasetRow[]>;
  readonly sections: { readonly [Name in SectionName]: Section<Sections[Name]> };
  readonly #runs = new Map<string, { readonly section: Section<RunView>; listeners: Set<Listener> }>();
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #ended: string | undefined;

  constructor(private readonly deps: DashboardDeps) {
    this.records = new Records(deps.lake);
    const book = new TableBook(deps.lake);
    this.tables = new Section(() => book.describe(), 10_000, 120_000);
    this.datasets = new Section(() => datasetsNow(deps, this.records), 5000, 60_000);
    this.sections = {
      services: new Section(() => servicesNow(deps), 5000),
      runs: new Section(() => runsNow(deps), 2000),
      flows: new Section(() => listFlows(deps), 10_000, 30_000),
      alerts: new Section(() => alertsNow(deps), 5000),
      lake: new Section(derived(this.tables, lakeNow), 10_000, 120_000),
      datasets: new Section(derived(this.datasets, newestDatasets), 5000, 60_000),
    };
  }

  /** Hands over every section as it is, then each new measurement. Returns what ends it. */
  listen(listener: Listener, run?: { readonly workflowId: string; readonly runId: string }): () => void {
    this.#listeners.add(listener);
    for (const [section, { state }] of Object.entries(this.sections))
      if (state.at !== null || state.problem !== null) listener({ section, state } as LiveEvent);
    const key = run && `${run.workflowId} ${run.runId}`;
    if (run && key !== undefined) {
      const watched = this.#runs.get(key) ?? {
        section: new Section(() => viewRun(this.deps, run.workflowId, run.runId), 1000),
        listeners: new Set<Listener>(),
      };
      watched.listeners.add(listener);
      if (watched.section.state.at !== null) listener({ section: 'run', state: watched.section.state });
      this.#runs.set(key, watched);
    }
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
    return () => {
      this.#listeners.delete(listener);
      const watched = key === undefined ? undefined : this.#runs.get(key);
      watched?.listeners.delete(listener);
      if (key !== undefined && watched?.listeners.size === 0) this.#runs.delete(key);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** After a change that a page made: its effect is shown at once, not at the next round. */
  touch(...names: SectionName[]): void {
    for (const name of names)
      void (async () => {
        if (name === 'lake') await this.tables.askAnew();
        if (name === 'datasets') await this.datasets.askAnew();
        await this.#ask(name, true);
      })();
  }

  #tick(): void {
    for (const name of Object.keys(this.sections) as SectionName[]) void this.#ask(name, false);
    for (const { section, listeners } of this.#runs.values()) {
      const ended = section.state.value !== null && section.state.value.status !== 'running';
      if (!ended)
        void publish(section, false, (state) => listeners.forEach((tell) => tell({ section: 'run', state })));
    }
  }

  #ask(name: SectionName, now: boolean): Promise<void> {
    const section = this.sections[name] as Section<unknown>;
    return publish(section, now, (state) => {
      for (const tell of this.#listeners) tell({ section: name, state } as LiveEvent);
      if (name === 'runs') this.#followRuns((state as Measured<RunsNow>).value);
    });
  }

  /** A run that ends has changed tables and records: they are asked at once, not at their next round. */
  #followRuns(runs: RunsNow | null): void {
    const ended = runs?.newest.find(({ finishedAt }) => finishedAt !== null)?.runId;
    if (ended !== undefined && this.#ended !== undefined && ended !== this.#ended)
      this.touch('lake', 'datasets', 'flows');
    this.#ended = ended ?? this.#ended ?? '';
  }
}

const BUSY = new WeakSet<object>();
const ASKED = new WeakMap<object, number>();

async function publish<Value>(
  section: Section<Value>,
  now: boolean,
  tell: (state: Measured<Value>) => void,
): Promise<void> {
  if (now) {
    ASKED.set(section, Date.now());
    return tell(await section.askAnew());
  }
  const due = Date.now() - (ASKED.get(section) ?? 0) >= section.pauseMs;
  if (!due || BUSY.has(section)) return;
  BUSY.add(section);
  ASKED.set(section, Date.now());
  try {
    tell(await section.ask());
  } finally {
    BUSY.delete(section);
  }
}
