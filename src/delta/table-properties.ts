/** Table properties that we honour, read from `metaData.configuration` once and typed. */
import { DeltaError } from './errors.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface TableProperties {
  /** Rows may be added and never removed (`delta.appendOnly`). */
  readonly appendOnly: boolean;
  /** Commits between two checkpoints (`delta.checkpointInterval`, default 10). */
  readonly checkpointInterval: number;
  /** Statistics in checkpoints as JSON text (`delta.checkpoint.writeStatsAsJson`, default true). */
  readonly statsAsJson: boolean;
  /** Statistics in checkpoints as columns (`delta.checkpoint.writeStatsAsStruct`, default false). */
  readonly statsAsStruct: boolean;
  /** How long a tombstone is kept, and its file with it (`delta.deletedFileRetentionDuration`, default 7 days). */
  readonly deletedFileRetentionMs: number;
  /** How long old commits are kept (`delta.logRetentionDuration`, default 30 days). */
  readonly logRetentionMs: number;
  /** Whether old commits may be cleaned away at all (`delta.enableExpiredLogCleanup`, default true). */
  readonly cleansLog: boolean;
  /** The first so many columns get statistics, all where negative (`delta.dataSkippingNumIndexedCols`, default 32). */
  readonly indexedColumns: number;
  /** The columns that get statistics, instead of the first ones (`delta.dataSkippingStatsColumns`). */
  readonly statsColumns: readonly string[] | undefined;
  /** Size that OPTIMIZE packs files to, in bytes (`delta.targetFileSize`, default 100 MiB). */
  readonly targetFileBytes: number;
}

/** Throws DELTA_PROPERTY_INVALID naming the property. */
export function tableProperties(configuration: Readonly<Record<string, string>>): TableProperties {
  const read = <Value>(name: string, standard: Value, parse: (text: string) => Value | undefined): Value => {
    const text = configuration[`delta.${name}`];
    if (text === undefined) return standard;
    const value = parse(text.trim());
    if (value === undefined) {
      throw new DeltaError('DELTA_PROPERTY_INVALID', `the table property delta.${name} is '${text}'`);
    }
    return value;
  };
  return {
    appendOnly: read('appendOnly', false, flag),
    checkpointInterval: read('checkpointInterval', 10, positive),
    statsAsJson: read('checkpoint.writeStatsAsJson', true, flag),
    statsAsStruct: read('checkpoint.writeStatsAsStruct', false, flag),
    deletedFileRetentionMs: read('deletedFileRetentionDuration', 7 * DAY_MS, intervalMs),
    logRetentionMs: read('logRetentionDuration', 30 * DAY_MS, intervalMs),
    cleansLog: read('enableExpiredLogCleanup', true, flag),
    indexedColumns: read('dataSkippingNumIndexedCols', 32, integer),
    statsColumns: read('dataSkippingStatsColumns', undefined, columnNames),
    targetFileBytes: read('targetFileSize', 100 * 1024 ** 2, byteSize),
  };
}

/** Properties that a feature of the protocol stands behind: setting them alone would promise what is not kept. */
const NEEDS_FEATURE = [
  'delta.enableChangeDataFeed',
  'delta.enableDeletionVectors',
  'delta.columnMapping.mode',
  'delta.enableInCommitTimestamps',
  'delta.enableRowTracking',
  'delta.enableTypeWidening',
  'delta.checkpointPolicy',
  'delta.minReaderVersion',
  'delta.minWriterVersion',
];

/** Throws DELTA_PROPERTY_INVALID for a property that is no property alone: a feature or a constraint comes with it. */
export function requireSettable(names: readonly string[]): void {
  for (const name of names) {
    const refused = NEEDS_FEATURE.includes(name) || name.startsWith('delta.feature.');
    if (refused || name.startsWith('delta.constraints.'))
      throw new DeltaError('DELTA_PROPERTY_INVALID', `the property ${name} is not set this way`);
  }
}

function flag(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

function integer(text: string): number | undefined {
  return /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function positive(text: string): number | undefined {
  const value = integer(text);
  return value !== undefined && value > 0 ? value : undefined;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  week: 7 * DAY_MS,
  day: DAY_MS,
  hour: HOUR_MS,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

/** `interval 1 week 2 days`, as other writers spell durations; months and years have no fixed length. */
export function intervalMs(text: string): number | undefined {
  const words = text
    .toLowerCase()
    .replace(/^interval\s+/, '')
    .trim()
    .split(/\s+/);
  if (words.length === 0 || words.length % 2 !== 0) return undefined;
  let total = 0;
  for (let index = 0; index < words.length; index += 2) {
    const count = words[index] ?? '';
    const unit = UNITS_MS[(words[index + 1] ?? '').replace(/s$/, '')];
    if (!/^\d+$/.test(count) || unit === undefined) return undefined;
    total += Number(count) * unit;
  }
  return total;
}

const SIZES: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `134217728`, `128mb`, `1g`. */
function byteSize(text: string): number | undefined {
  const match = /^(\d+)\s*(?:([kmgt])b?|b)?$/i.exec(text);
  const bytes = match && Number(match[1]) * (SIZES[match[2]?.toLowerCase() ?? ''] ?? 1);
  return bytes && bytes > 0 ? bytes : undefined;
}

/** Names separated by commas; a name with odd characters stands in backticks. */
function columnNames(text: string): readonly string[] | undefined {
  const names = text.match(/\s*(`[^`]+`|[^,`]+)\s*(?:,|$)/g) ?? [];
  if (names.join('').length !== text.length) return undefined;
  return names.map((name) => name.replace(/,$/, '').trim().replaceAll('`', ''));
}
