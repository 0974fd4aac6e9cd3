/** The summary of a run while it grows: one mutable object, answered to the `progress` query at any time. */
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { Reported } from '../contracts/activities.js';
import { SEARCH_ATTRIBUTES } from '../contracts/flows.js';
import { NO_ROWS, type Ledger } from '../contracts/ledger.js';
import type { TrainingFigures, TrainingPlan, TrainingSummary } from '../contracts/ml-flows.js';
import type { QualityVerdict } from '../contracts/quality.js';
import type { ReplayFigures } from '../contracts/replay.js';
import type { EtlSummary, Phase, RunOutcome, RunRef, StepRecord, TableState } from '../contracts/run.js';
import { originOf } from './origin.js';

const attribute = {
  dataset: defineSearchAttributeKey(SEARCH_ATTRIBUTES.dataset.name, SEARCH_ATTRIBUTES.dataset.type),
  logicalTime: defineSearchAttributeKey(
    SEARCH_ATTRIBUTES.logicalTime.name,
    SEARCH_ATTRIBUTES.logicalTime.type,
  ),
  phase: defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase.name, SEARCH_ATTRIBUTES.phase.type),
  outcome: defineSearchAttributeKey(SEARCH_ATTRIBUTES.outcome.name, SEARCH_ATTRIBUTES.outcome.type),
};

/**
 * What a run is for. The nominal time of the schedule wins over the clock, and the first execution's id over the
 * current one, so that a late start, a retry, a reset or a continue-as-new is still the same run.
 */
export function identifyRun(dataset: string, logicalTime: string | undefined): RunRef {
  const info = workflowInfo();
  const { at, scheduleId } = originOf(info);
  return {
    runId: info.firstExecutionRunId,
    executionId: info.runId,
    workflowId: info.workflowId,
    dataset,
    logicalTime: logicalTime ?? at,
    ...(scheduleId !== undefined && { scheduleId }),
  };
}

export class RunState {
  private summary: TrainingSummary;
  verdict: QualityVerdict | null = null;

  constructor(
    readonly run: RunRef,
    flow: EtlSummary['flow'] = 'medallionEtl',
    quiet = false,
  ) {
    this.summary = {
      run,
      flow,
      ...(quiet && { quiet }),
      phase: 'starting',
      outcome: 'running',
      sources: { listed: 0, ingested: 0, known: 0 },
      bronze: NO_ROWS,
      silver: NO_ROWS,
      score: null,
      failedChecks: [],
      tables: [],
      steps: [],
      report: null,
      events: { sent: 0, pending: 0, detail: '' },
    };
    upsertSearchAttributes([
      { key: attribute.dataset, value: run.dataset },
      { key: attribute.logicalTime, value: new Date(run.logicalTime) },
      { key: attribute.outcome, value: 'running' },
    ] satisfies SearchAttributePair[]);
  }

  get snapshot(): TrainingSummary {
    return this.summary;
  }

  enter(phase: Phase): void {
    this.summary = { ...this.summary, phase };
    upsertSearchAttributes([{ key: attribute.phase, value: phase }]);
  }

  finish(outcome: RunOutcome): void {
    this.summary = { ...this.summary, outcome };
    upsertSearchAttributes([{ key: attribute.outcome, value: outcome }]);
  }

  did(step: StepRecord): void {
    this.summary = { ...this.summary, steps: [...this.summary.steps, step] };
  }

  listed(sources: EtlSummary['sources']): void {
    this.summary = { ...this.summary, sources };
  }

  /** A round that starts over has read, judged and ingested nothing yet: what an earlier one saw was not published. */
  startBronze(): void {
    this.verdict = null;
    this.summary = { ...this.summary, bronze: NO_ROWS, score: null, failedChecks: [] };
  }

  judged(verdict: QualityVerdict): void {
    this.verdict = verdict;
    const failedChecks = verdict.results.filter((result) => result.outcome === 'failed');
    this.summary = { ...this.summary, score: verdict.score, failedChecks };
  }

  balanced(layer: 'bronze' | 'silver', ledger: Ledger): void {
    this.summary = { ...this.summary, [layer]: ledger };
  }

  replayed(replay: ReplayFigures): void {
    this.summary = { ...this.summary, replay };
  }

  stands(table: TableState): void {
    const others = this.summary.tables.filter((known) => known.table !== table.table);
    this.summary = { ...this.summary, tables: [...others, table] };
  }

  /** What a training is going to do; its figures come as they are known. */
  plans({ model, table, goldVersion, leftOut, metric }: TrainingPlan): void {
    const training: TrainingFigures = {
      ...{
        model,
        table: `gold.${table}`,
        goldVersion,
        leftOut,
        metric,
        rows: 0,
        candidates: [],
        winner: null,
      },
      ...{ metrics: {}, version: null, mlflowRun: null, decision: null, reasons: [], message: '' },
    };
    this.summary = { ...this.summary, training };
  }

  get training(): TrainingFigures {
    const { training } = this.summary;
    if (!training) throw new TypeError('the training is not planned yet');
    return training;
  }

  trained(figures: Partial<TrainingFigures>): void {
    this.summary = { ...this.summary, training: { ...this.training, ...figures } };
  }

  reported({ step, report }: Reported): void {
    this.did(step);
    this.summary = { ...this.summary, report };
  }

  relayed(events: EtlSummary['events']): void {
    this.summary = { ...this.summary, events };
  }
}
