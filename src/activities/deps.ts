/** What the activities are made of: ports, filled in by the composition root `src/worker.ts`. */
import type { Config } from '../config/config.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { EventSink } from '../contracts/events.js';
import type { LogLevel } from '../contracts/run-log.js';
import type { SourceReader } from '../contracts/sources.js';
import type { Clock, Engine, ObjectStore, RowParquet } from '../delta/index.js';

export interface ActivityDeps {
  readonly config: Config;
  /** The root of the lake: tables at `<layer>/<table>`, staging manifests below `_staging/`. */
  readonly lake: ObjectStore;
  /** Where backups go; null where none are configured. Files that left their table since the last one stay. */
  readonly backup: ObjectStore | null;
  readonly engine: Engine;
  readonly rowParquet: RowParquet;
  readonly sources: SourceReader;
  /** Null where Kafka is switched off: events then stay pending. */
  readonly events: EventSink | null;
  /** Throws DATASET_UNKNOWN, DATASET_INVALID. */
  readonly loadDataset: (name: string) => Promise<DatasetDefinition>;
  /** Whether a schedule has this time; false where Temporal does not say. Monitoring looks at what is left out. */
  readonly isExpected: (scheduleId: string, logicalTime: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Folder for the scratch of running steps. */
  readonly scratchDirectory: string;
  /** Where the steps say what they do; fields are plain data. */
  readonly log: (fields: Readonly<Record<string, unknown>>, message: string, level?: LogLevel) => void;
}
