/**
 * Source → Bronze → quality → Silver → Gold → record → events, for one dataset and logical time.
 *
 * Guarantees: a row of a source reaches Bronze once, however often the run is repeated, killed or doubled; a failed
 * `block` check leaves every table as it was; every run that starts is recorded, also when it fails or is cancelled;
 * events never fail a run. History is bounded by the number of Gold tables, so it never continues as new.
 */
import type { MedallionEtlInput } from '../contracts/flows.js';
import type { EtlSummary } from '../contracts/run.js';
import { parseInput } from './input.js';
import { runMedallion } from './medallion-run.js';
import { fillBronze } from './medallion-steps.js';
import { identifyRun, RunState } from './run-state.js';

export async function medallionEtl(input: MedallionEtlInput): Promise<EtlSummary> {
  const { dataset, logicalTime, options = {} } = parseInput(input);
  const state = new RunState(identifyRun(dataset, logicalTime), 'medallionEtl', options.quiet);
  return runMedallion(state, (etl, run) => fillBronze(etl, state, run), options);
}
