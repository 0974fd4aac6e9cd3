/** How we stand with each golden table. Skips go down, not up: one that passes fails the suite until it is moved. */
import type { DeltaErrorCode } from '../../src/delta/index.js';
import type { Expected } from './folder.js';

export type GoldenCase =
  | {
      readonly status: 'pass';
      /** Where the folder's own answer is known to be wrong, the protocol's, with the reason. */
      readonly corrected?: {
        readonly because: string;
        readonly facts?: Partial<Expected>;
        readonly ignoreRows?: true;
      };
    }
  | { readonly status: 'negative'; readonly code: DeltaErrorCode; readonly message: string }
  | { readonly status: 'skip'; readonly reason: string };

const refused = (code: DeltaErrorCode, message: string): GoldenCase => ({
  status: 'negative',
  code,
  message,
});
const unreadable = (feature: string): GoldenCase => refused('DELTA_READ_UNSUPPORTED', feature);
const brokenLog = (message: string): GoldenCase => refused('DELTA_LOG_INVALID', message);
const ONE_SPELLING: GoldenCase = {
  status: 'pass',
  corrected: {
    because:
      'the removed path is another spelling of the added one; the readers that made the answer keep the file',
    facts: { numFiles: 0 },
  },
};

/** Tables that are not named are to pass. */
export const REGISTRY: Readonly<Record<string, GoldenCase>> = {
  'delta-golden/corrupted-last-checkpoint': {
    status: 'pass',
    corrected: { because: 'the other readers refuse the empty schema', facts: { numFiles: 11 } },
  },
  'delta-kernel-java/catalog-owned-preview': unreadable('catalogManaged'),
  'delta-kernel-java/workload_basic_catalog_managed/delta': unreadable('catalogManaged'),
  'delta-rs-err-logs/table_c': brokenLog('lacks commit 12'),
  'delta-rs-err-logs/table_e': unreadable('catalogOwned'),
  'delta-rs-err-logs/table_f': unreadable('catalogOwned'),
  'delta-rs-err-logs/table_h': unreadable('catalogOwned'),
  'delta-rs-err-logs/table_i': unreadable('catalogOwned'),
  'delta-rs/simple_table_features': unreadable('reader version 5'),
  'delta-rs/table_with_edge_timestamps': {
    status: 'pass',
    corrected: {
      because: 'the answer came from nanoseconds that had overflown: the year 9999 stands there as 1816',
      ignoreRows: true,
    },
  },
  'kernel-rs-data/crc-malformed': refused('DELTA_TABLE_NOT_FOUND', 'no Delta table'),
  'kernel-rs-data/table-with-geo': unreadable('geospatial'),
  'kernel-rs-golden/canonicalized-paths-normal-a/delta': ONE_SPELLING,
  'kernel-rs-golden/canonicalized-paths-normal-b/delta': ONE_SPELLING,
  'kernel-rs-golden/canonicalized-paths-special-a/delta': ONE_SPELLING,
  'kernel-rs-golden/deltalog-state-reconstruction-from-checkpoint-missing-metadata/delta': {
    status: 'pass',
    corrected: {
      because:
        'the checkpoint has no metaData, but all commits are there: it is passed over, as any damaged one',
      facts: { version: 10, numFiles: 11 },
    },
  },
  'kernel-rs-golden/deltalog-state-reconstruction-without-protocol/delta': brokenLog('no protocol action'),
  'kernel-rs-golden/update-deleted-directory/delta': {
    status: 'pass',
    corrected: { because: 'the other readers refuse the empty schema', facts: { numFiles: 10 } },
  },
  'kernel-rs-golden/versions-not-contiguous/delta': brokenLog('lacks commit 1'),
};
