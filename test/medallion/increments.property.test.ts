/**
 * Law 4: whatever the history of increments, Silver and Gold are what computing them from all of Bronze gives. Random
 * histories with late rows, revisions, doubled rows, refused rows and files in any order of age. Seed printed.
 */
import { utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { loadDataset } from '../../src/config/datasets.js';
import type { DatasetDefinition, SliceDefinition } from '../../src/contracts/dataset.js';
import type { ScanPlan, WrittenFile } from '../../src/delta/ports.js';
import type { StructType } from '../../src/delta/schema.js';
import { aggregate } from '../../src/medallion/aggregate.js';
import { computeSlices } from '../../src/medallion/slices.js';
import { upsert } from '../../src/medallion/upsert.js';
import { RUN, Workbench } from './workbench.js';
import { seedOf } from '../support/seed.js';

const SEED = seedOf(4);
/** Few, so that whole tables are computed in several parts. */
const PART_ROWS = 20;
const DATASETS = fileURLToPath(new URL('datasets', import.meta.url));

const benches: Workbench[] = [];
afterEach(() => benches.splice(0).forEach((bench) => bench.close()));

/** A table as its live files. */
interface Live {
  readonly schema: StructType;
  readonly files: readonly WrittenFile[];
}

/** A lake of one dataset without Delta and Temporal: what the activities do, on bare files. */
class World {
  readonly bench = new Workbench();
  bronze: Live | undefined;
  silver: Live | undefined;
  refused: readonly WrittenFile[] = [];
  readonly gold = new Map<string, Live>();
  touched = 0;

  constructor(readonly dataset: DatasetDefinition) {
    benches.push(this.bench);
  }

  plan({ schema, files }: Live): ScanPlan {
    return this.bench.plan(schema, files);
  }

  async batch(texts: ReadonlyArray<{ text: string; age: number }>, number: number): Promise<void> {
    const sources = texts.map(({ text, age }, index) => {
      const source = this.bench.source(`f${number}-${index}.csv`, text);
      const seconds = 1_600_000_000 + age;
      utimesSync(source.localPath, seconds, seconds);
      return { ...source, modifiedMs: seconds * 1000 };
    });
    const made = await this.bench.ingest(this.dataset, ...sources);
    const fresh = { schema: made.schema, files: made.bronze };
    const all = { schema: made.schema, files: [...(this.bronze?.files ?? []), ...made.bronze] };
    this.bronze = all;
    if (this.silver === undefined) await this.whole();
    else await this.increment(fresh, this.silver);
  }

  async whole(): Promise<void> {
    const made = await this.bench.refine(
      this.dataset,
      { schema: this.bronze?.schema as StructType, bronze: this.bronze?.files ?? [] },
      PART_ROWS,
    );
    this.silver = { schema: made.schema, files: made.silver };
    this.refused = made.quarantine;
    for (const gold of this.dataset.gold) {
      const { schema, gold: files } = await aggregate({
        engine: this.bench.engine,
        dataset: this.dataset,
        gold,
        silver: this.plan(this.silver),
        outputDirectory: this.bench.directory(),
        partRows: PART_ROWS,
      });
      this.gold.set(gold.table, { schema, files });
    }
  }

  async increment(fresh: Live, silver: Live): Promise<void> {
    const { engine } = this.bench;
    const made = await upsert({
      engine,
      dataset: this.dataset,
      bronze: this.plan(fresh),
      silver: this.plan(silver),
      outputDirectory: this.bench.directory(),
      run: RUN,
    });
    if ('whole' in made) throw new Error(made.whole);
    this.silver = merged(silver, made.replaced, made.silver);
    expect(rowsOf(this.silver) - rowsOf(silver), 'grown').toBe(made.grown);
    this.refused = [...this.refused, ...made.quarantine];
    this.touched += made.replaced.length;
    if (!made.changes) return;
    for (const gold of this.dataset.gold) {
      const published = this.gold.get(gold.table) as Live;
      const sliced = await computeSlices({
        engine,
        dataset: this.dataset,
        gold: { ...gold, slices: gold.slices as SliceDefinition },
        silver: this.plan(this.silver),
        published: this.plan(published),
        changes: [made.changes.localPath],
        outputDirectory: this.bench.directory(),
      });
      const after = merged(published, sliced.replaced, sliced.gold);
      expect(rowsOf(after) - rowsOf(published), `${gold.table} has grown`).toBe(sliced.grown);
      this.gold.set(gold.table, after);
    }
  }

  async tables(): Promise<Record<string, unknown>> {
    const read = (live: Live | undefined, columns: string): Promise<unknown> =>
      live ? this.bench.read(this.plan(live), 'ORDER BY ALL', columns) : Promise.resolve([]);
    const quarantine = {
      schema: { type: 'struct', fields: [{ name: 'raw', type: 'string', nullable: true, metadata: {} }] },
      files: this.refused,
    } as const;
    return {
      silver: await read(this.silver, '* EXCLUDE (_ingested_at)'),
      refused: await read(quarantine, "raw->>'id' AS id"),
      ...Object.fromEntries(
        await Promise.all(
          [...this.gold].map(async ([name, live]) => [name, await read(live, '*')] as [string, unknown]),
        ),
      ),
    };
  }
}

const rowsOf = ({ files }: Live): number => files.reduce((sum, { rows }) => sum + rows, 0);

function merged(live: Live, replaced: readonly string[], files: readonly WrittenFile[]): Live {
  return {
    schema: live.schema,
    files: [...live.files.filter(({ localPath }) => !replaced.includes(localPath)), ...files],
  };
}

const line = fc
  .record({
    // Six months: references of two closed months fill up, and late rows fall into the middle of them.
    day: fc.integer({ min: 0, max: 170 }),
    symbol: fc.constantFrom('a', 'b ', ''),
    price: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 90, max: 110 }) },
      { weight: 1, arbitrary: fc.constantFrom(-1, 0, 5000) },
    ),
    id: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ day, symbol, price, id }) => {
    const date = new Date(Date.UTC(2020, 0, 1 + day)).toISOString().slice(0, 10);
    return `${date},${symbol},${price},${id}`;
  });
const file = fc.record({
  text: fc
    .array(line, { minLength: 1, maxLength: 40 })
    .map((lines) => `day,symbol,price,id\n${lines.join('\n')}\n`),
  age: fc.integer({ min: 0, max: 3 }),
});
const history = fc.array(fc.array(file, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 4 });

it('gives what computing everything gives', async () => {
  console.info(`seed ${SEED}`);
  const dataset = await loadDataset(DATASETS, 'ticks');
  let touched = 0;
  const property = fc.asyncProperty(history, fc.boolean(), async (batches, again) => {
    const increments = new World(dataset);
    // The last batch may bring the first one's rows once more, in another file and so from a newer place.
    const all = again
      ? [...batches, batches[0]?.map(({ text }) => ({ text: `${text}\n`, age: 9 })) ?? []]
      : batches;
    for (const [number, batch] of all.entries()) await increments.batch(batch, number);
    const whole = new World(dataset);
    whole.bronze = increments.bronze;
    await whole.whole();
    expect(await increments.tables()).toEqual(await whole.tables());
    touched += increments.touched;
  });
  await fc.assert(property, { seed: SEED, numRuns: 15 });
  // A world in which no published file was ever replaced would have shown nothing.
  expect(touched).toBeGreaterThan(15);
}, 300_000);

it('looks through all of the past for what the windows and the first return need', async () => {
  const dataset = await loadDataset(DATASETS, 'ticks');
  const increments = new World(dataset);
  const day = (number: number): string => new Date(Date.UTC(2020, 0, 1 + number)).toISOString().slice(0, 10);
  const csv = (days: readonly number[], price: (number: number) => number): string =>
    ['day,symbol,price,id', ...days.map((number) => `${day(number)},a,${price(number)},1`), ''].join('\n');
  const days = (from: number, length: number): number[] => Array.from({ length }, (_, index) => from + index);
  // A lone row half a year before the others: the first of them has its return since that one.
  const old = csv([0, ...days(200, 12)], (number) => (number === 0 ? 3 : 100 + ((number * 7) % 11)));
  const late = csv(days(214, 30), (number) => 100 + ((number * 5) % 13));
  await increments.batch([{ text: old, age: 0 }], 0);
  await increments.batch([{ text: late, age: 1 }], 1);
  const whole = new World(dataset);
  whole.bronze = increments.bronze;
  await whole.whole();
  const tables = await increments.tables();
  expect(tables).toEqual(await whole.tables());
  const judged = (tables['silver'] as Array<{ outlier_score: number | null }>).filter(
    ({ outlier_score }) => outlier_score !== null,
  );
  expect(judged.length).toBeGreaterThan(0);
});
