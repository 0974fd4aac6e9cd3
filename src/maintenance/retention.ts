/** Which rows of a table may go by their age. Pure. */
import type { Layer } from '../contracts/run.js';

/** What is declared, in the configuration and in datasets. Days null: rows stay for ever. */
export interface RetentionPolicies {
  readonly bronzeDays: number | null;
  readonly quarantineDays: number | null;
  /** Of the samples of monitoring, and of the history of alerts. */
  readonly metricDays: number | null;
  readonly alertDays: number | null;
  /** Single tables, as `layer.table`; wins over what datasets and layers say. */
  readonly tables: ReadonlyArray<{
    readonly table: string;
    readonly days?: number;
    readonly column?: string;
    readonly hold?: boolean;
  }>;
}

/** Rows whose column is older than so many days go. */
export interface RetentionPolicy {
  readonly column: string;
  readonly days: number;
}

const INGESTED = '_ingested_at';

/**
 * The policy of a table, or null where its rows stay. A hold wins over everything. Bronze and quarantine count from
 * `_ingested_at` alone, since what they hold is known by when it came; Silver and Gold go by a declared column. Of DataLab's
 * own records only the samples of monitoring and the history of alerts have a time.
 */
export function retentionOf(
  name: { readonly layer: Layer; readonly table: string },
  policies: RetentionPolicies,
  declared?: { readonly days?: number; readonly column?: string; readonly hold?: boolean },
): RetentionPolicy | null {
  const own = policies.tables.find(({ table }) => table === `${name.layer}.${name.table}`);
  if (own?.hold ?? declared?.hold) return null;
  const days = own?.days ?? declared?.days;
  switch (name.layer) {
    case 'bronze':
      return policyOf(INGESTED, days ?? policies.bronzeDays);
    case 'quarantine':
      return policyOf(INGESTED, days ?? policies.quarantineDays);
    case 'silver':
    case 'gold': {
      const column = own?.column ?? declared?.column;
      return column === undefined ? null : policyOf(column, days ?? null);
    }
    case 'meta':
      return policyOf('at', recordDays(name.table, policies));
  }
}

/** Records of runs stay; samples come every few minutes, and nobody asks for one of a year ago. */
function recordDays(table: string, { metricDays, alertDays }: RetentionPolicies): number | null {
  return table === 'metrics' ? metricDays : table === 'alerts' ? alertDays : null;
}

function policyOf(column: string, days: number | null): RetentionPolicy | null {
  return days === null ? null : { column, days };
}
