/**
 * What of Delta Lake is supported, besides the table features of `protocol.ts`: one registry, from which
 * `docs/reference/delta-support.md` is written. A claim names the test that holds it.
 */
export interface Support {
  readonly what: string;
  readonly read: 'yes' | 'no' | 'refused' | '';
  readonly written: 'yes' | 'no' | 'refused' | '';
  readonly note: string;
  /** Test file below `test/` that would fail if it were not so. */
  readonly test: string;
}

const GOLDEN = 'golden/golden.test.ts';
const OPERATIONS = 'delta/operations';

export const SUPPORT: Readonly<Record<string, readonly Support[]>> = {
  'The log': [
    {
      what: 'Classic checkpoint (one Parquet file)',
      read: 'yes',
      written: 'yes',
      note: 'Read again and compared with the table before `_last_checkpoint` names it; never replaced.',
      test: `${OPERATIONS}/checkpoint.test.ts`,
    },
    {
      what: 'Multi-part checkpoint',
      read: 'yes',
      written: 'no',
      note: 'Incomplete sets are passed over.',
      test: GOLDEN,
    },
    {
      what: 'V2 checkpoint with sidecars',
      read: 'yes',
      written: 'no',
      note: 'Tables with the feature get classic checkpoints.',
      test: GOLDEN,
    },
    {
      what: 'Checkpoints with statistics as columns only',
      read: 'yes',
      written: 'yes',
      note: 'As `delta.checkpoint.writeStatsAsJson` and `writeStatsAsStruct` say. Decimals of more than 15 digits get no bounds in columns.',
      test: `${OPERATIONS}/checkpoint.test.ts`,
    },
    {
      what: 'Missing, stale or damaged `_last_checkpoint` or checkpoint',
      read: 'yes',
      written: '',
      note: 'An older checkpoint or the commits serve instead.',
      test: 'delta/snapshot.test.ts',
    },
    {
      what: 'Log compaction files, version checksums',
      read: 'no',
      written: 'no',
      note: 'Passed over; both are optional. The log clean-up removes them with the commits.',
      test: `${OPERATIONS}/maintenance.test.ts`,
    },
    {
      what: 'Log clean-up',
      read: '',
      written: 'yes',
      note: '`delta.logRetentionDuration`, `delta.enableExpiredLogCleanup`. Without a readable checkpoint that is old enough nothing goes.',
      test: `${OPERATIONS}/maintenance.test.ts`,
    },
    {
      what: 'Time travel by version and by time',
      read: 'yes',
      written: '',
      note: 'By in-commit timestamps where the table has them.',
      test: 'delta/snapshot.test.ts',
    },
    {
      what: 'Application transactions (`txn`)',
      read: 'yes',
      written: 'yes',
      note: 'Every operation takes one and is then made once.',
      test: `${OPERATIONS}/append.test.ts`,
    },
  ],
  Data: [
    {
      what: 'All primitive types, structs, lists, maps',
      read: 'yes',
      written: 'yes',
      note: 'A value that would change on its way into the column is refused.',
      test: `${OPERATIONS}/append.test.ts`,
    },
    {
      what: 'Type `variant`',
      read: 'yes',
      written: 'refused',
      note: 'As the engine’s VARIANT, shredded or not; as JSON text in Arrow. A shredded one whose file does not mark it is refused.',
      test: GOLDEN,
    },
    {
      what: 'Partition columns of every primitive type',
      read: 'yes',
      written: 'yes',
      note: 'An empty string as a value is refused when written: readers disagree on whether it is NULL.',
      test: `${OPERATIONS}/append.test.ts`,
    },
    {
      what: 'Partition columns of type `binary`',
      read: 'yes',
      written: 'yes',
      note: 'Bytes that are UTF-8, as that text: Spark and delta-rs read no others, and Spark itself writes U+FFFD in their place. So others are refused; empty ones are, as empty strings are. delta-rs writes an escape for each byte (`\\u00FF`, six characters), which it and Spark read as those characters and DataLab as the byte that was meant; bytes that are such escapes themselves are refused. Where delta-rs wrote a value that is refused here, its rows stay what they are when their files are packed, deleted from or updated; a merge, or an update of that column, which place rows anew, are refused.',
      test: `${OPERATIONS}/binary-partitions.test.ts`,
    },
    {
      what: 'Statistics and data skipping',
      read: 'yes',
      written: 'yes',
      note: 'Of top-level columns; `delta.dataSkippingNumIndexedCols`, `delta.dataSkippingStatsColumns`. Missing or odd statistics never skip; `float` columns never do.',
      test: 'delta/expression.test.ts',
    },
    {
      what: 'Files outside the table’s folder (shallow clones)',
      read: 'refused',
      written: 'refused',
      note: 'VACUUM leaves them alone.',
      test: `${OPERATIONS}/maintenance.test.ts`,
    },
    {
      what: 'Streams of Arrow record batches',
      read: 'yes',
      written: '',
      note: 'Memory and disk for some files at a time.',
      test: `${OPERATIONS}/read.test.ts`,
    },
  ],
  Operations: [
    {
      what: 'append, with schema evolution',
      read: '',
      written: 'yes',
      note: 'New columns at the end, nullable.',
      test: `${OPERATIONS}/append.test.ts`,
    },
    {
      what: 'append of a few values without the engine',
      read: '',
      written: 'yes',
      note: 'Text, whole numbers, doubles, booleans, dates, timestamps; all else is the engine’s, CHECK constraints too.',
      test: `${OPERATIONS}/append-ways.test.ts`,
    },
    {
      what: 'overwrite: whole, by partition, by condition',
      read: '',
      written: 'yes',
      note: 'Spark’s `overwriteSchema`, dynamic partition overwrite, `replaceWhere`.',
      test: `${OPERATIONS}/change.test.ts`,
    },
    {
      what: 'delete, update',
      read: '',
      written: 'yes',
      note: 'Copy-on-write of the touched files. Conditions are the engine’s SQL.',
      test: `${OPERATIONS}/change.test.ts`,
    },
    {
      what: 'merge',
      read: '',
      written: 'yes',
      note: 'Matched update and delete, not matched insert, each with conditions. No “not matched by source”, no schema evolution.',
      test: `${OPERATIONS}/merge.test.ts`,
    },
    {
      what: 'restore',
      read: '',
      written: 'yes',
      note: 'Rows, schema and properties; the protocol never goes back.',
      test: `${OPERATIONS}/change.test.ts`,
    },
    {
      what: 'OPTIMIZE',
      read: '',
      written: 'yes',
      note: 'Bin-packing to `delta.targetFileSize`; drops rows that deletion vectors mask. No Z-order.',
      test: `${OPERATIONS}/maintenance.test.ts`,
    },
    {
      what: 'VACUUM',
      read: '',
      written: 'yes',
      note: 'Full listing; `delta.deletedFileRetentionDuration`. Deletion vectors and change files count as referred to.',
      test: `${OPERATIONS}/maintenance.test.ts`,
    },
    {
      what: 'fsck',
      read: '',
      written: 'yes',
      note: 'Missing and cut files, wrong statistics, orphans, hollow tables; repairs when asked.',
      test: `${OPERATIONS}/maintenance.test.ts`,
    },
    {
      what: 'Column mapping, change data feed, deletion vectors: writing them',
      read: '',
      written: 'refused',
      note: 'Tables that have them in use are read; see the features.',
      test: 'delta/protocol.test.ts',
    },
  ],
};
