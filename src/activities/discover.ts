/** Lists a dataset's sources and sets aside those that Bronze has seen. */
import type { Discovery, PlannedRun } from '../contracts/activities.js';
import type { SourceObject } from '../contracts/sources.js';
import { locationAt } from '../contracts/source-location.js';
import { objectTransaction } from '../medallion/transactions.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import { writeManifest } from './staging.js';
import { freshOffsets } from './offsets.js';
import { sharesOf } from './shares.js';
import { runStep } from './step.js';
import { stateOf, type LakeTables } from './tables.js';

export async function discoverSources(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
): Promise<Discovery> {
  const { step, value } = await runStep('discover', deps.scratchDirectory, async ({ signal }) => {
    const dataset = await plannedDataset(deps, run);
    const [listed, bronze] = await Promise.all([
      deps.sources.list(locationAt(dataset.source.location, run.logicalTime), { signal }),
      tables.table('bronze', run.dataset).snapshotIfExists(),
    ]);
    const { maxMessagesPerRun } = deps.config.kafka;
    const limits = { messages: maxMessagesPerRun, nowMs: deps.clock.nowMs() };
    const fresh = isTopic(listed)
      ? freshOffsets(listed, bronze, limits)
      : listed.filter((source) => !bronze?.transaction(objectTransaction(source)));
    const bytes = fresh.reduce((sum, source) => sum + source.sizeBytes, 0);
    const manifest =
      fresh.length === 0
        ? null
        : await writeManifest(deps.lake, run, 'sources', deps.newId(), { sources: fresh });
    const shares = manifest === null ? [] : sharesOf(fresh, deps.config.worker.shareMb * 2 ** 20);
    const keys = await Promise.all(
      shares.map((sources, index) =>
        writeManifest(deps.lake, run, `sources-${index + 1}`, deps.newId(), { sources }),
      ),
    );
    return {
      rows: 0,
      bytes,
      detail: isTopic(listed)
        ? topicDetail(listed, fresh)
        : `${listed.length} listed, ${fresh.length} not seen before`,
      value: {
        listed: listed.length,
        known: listed.length - fresh.length,
        fresh: fresh.length,
        bytes,
        manifest,
        ...(keys.length > 0 && { shares: keys }),
        current: bronze && stateOf(`bronze.${run.dataset}`, bronze, false),
      },
    };
  });
  return { step, ...value };
}

function isTopic(listed: readonly SourceObject[]): boolean {
  return listed.some(({ offsets }) => offsets !== undefined);
}

function topicDetail(listed: readonly SourceObject[], fresh: readonly SourceObject[]): string {
  const sizes = fresh.map(({ offsets }) => (offsets ? offsets.to - offsets.from : 0));
  const messages = sizes.reduce((sum, size) => sum + size, 0);
  return `${listed.length} partition(s) listed, ${messages} offset(s) to take from ${fresh.length} of them`;
}
