/** Watching models that are in use: what was predicted goes into a table, and is held against the truth once it is there. */

import type { ScheduledTime } from './expected-runs.js';

/** Input of the workflow type `modelWatch`: everything that it needs is configuration. */
export type ModelWatchInput = Readonly<Record<string, never>>;

/** What was taken out of the inbox. */
export interface TakenPredictions {
  readonly files: number;
  readonly rows: number;
  /** Lines that are no prediction; they are left out and counted. */
  readonly bad: number;
}

/** One champion over the last days. */
export interface LiveModel {
  readonly model: string;
  readonly version: string;
  /** The metric of the model file. */
  readonly metric: string;
  /** Predictions by key whose truth is known by now, one per key and time. */
  readonly judged: number;
  /** The metric over them, and on the holdout at training; null where there are none. */
  readonly live: number | null;
  readonly holdout: number | null;
  /** Of a loss the share by which the live one is greater, of a score how much it is smaller; negative where it is better. */
  readonly degradation: number | null;
  /** Predictions in those days, and how far their distribution is from that on the holdout (PSI: 0.25 is a large shift). */
  readonly predictions: number;
  readonly drift: number | null;
  /** Why something of this is not known. */
  readonly problem: string | null;
}

/** What `modelWatch` returns. */
export interface WatchSummary {
  readonly at: string;
  readonly taken: TakenPredictions;
  readonly models: readonly LiveModel[];
}

/** What it keeps for monitoring, which makes figures of it in every cycle. */
export interface WatchMemory {
  readonly at: string;
  readonly models: readonly LiveModel[];
}

/** Name of {@link WatchMemory} in the lake. */
export const WATCH_MEMORY = 'models';

export interface WatchActivities {
  /** Puts what waits in the inbox into `meta.predictions`, every prediction once. */
  takePredictions(): Promise<TakenPredictions>;
  /**
   * Measures every champion, and keeps the figures for monitoring. `at` is the time that days are counted back from;
   * `scheduled` is what the run is for, where a schedule started it, and is recorded as done.
   */
  measureModels(at: string, scheduled?: ScheduledTime): Promise<readonly LiveModel[]>;
}
