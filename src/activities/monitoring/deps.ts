/** What the monitoring activities are made of, beside what all activities share. */
import type { AskedService } from '../../connectors/probes/services.js';
import type { AlertChannel } from '../../connectors/channels/index.js';
import type { KafkaSample } from '../../connectors/probes/kafka.js';
import type { SlotRange } from '../../connectors/expected-runs.js';
import type { AlertOverview, AlertReport } from '../../contracts/alerts.js';
import type { ScheduleState } from '../../contracts/expected-runs.js';
import type { Cycle, Measurement } from '../../contracts/monitoring.js';
import type { KafkaMemory } from '../../contracts/probe-memory.js';
import type { ActivityDeps } from '../deps.js';

/** A schedule that the configuration declares. */
export interface WatchedSchedule {
  readonly id: string;
  readonly createPaused: boolean;
  readonly workflowType: string;
  /** How long one of its runs may take. */
  readonly budgetSeconds: number;
}

export interface MonitoringDeps extends ActivityDeps {
  readonly datasetNames: () => Promise<readonly string[]>;
  /** Null where Kafka is switched off. */
  readonly measureKafka: ((before: KafkaMemory | null, nowMs: number) => Promise<KafkaSample>) | null;
  /** Everything that is asked, but the object store, which is asked through its port. */
  readonly services: readonly AskedService[];
  /** Asks services at once, each for its own longest time. */
  readonly ask: (services: readonly AskedService[]) => Promise<readonly Measurement[]>;
  readonly measurePools: () => Promise<readonly Measurement[]>;
  /** What the alert manager says of itself; null where it does not run or does not answer in time. */
  readonly overview: () => Promise<AlertOverview | null>;
  readonly schedules: readonly WatchedSchedule[];
  /** With what of it is not as it is declared. */
  readonly slots: (scheduleId: string, range: SlotRange) => Promise<ScheduleState | null>;
  /** Rows that Bronze accepted in a finished run, or null. */
  readonly rowsOfRun: (workflowId: string, runId: string) => Promise<number | null>;
  /** Pauses it, and cancels a backfill of it that is going on. */
  readonly pauseSchedule: (scheduleId: string, note: string) => Promise<void>;
  readonly report: (report: AlertReport) => Promise<void>;
  readonly channels: readonly AlertChannel[];
  /** Calls the dead man's switch; null where there is none. */
  readonly heartbeat: ((cycle: Cycle) => Promise<void>) | null;
}
