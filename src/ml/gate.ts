/** Whether a model has earned its place. Every rule says what it measured; a refusal is a list of reasons, not an error. */
import { LOSSES, type GateDefinition } from '../contracts/model.js';
import type { Evaluation, GateResult } from '../contracts/training.js';

const PARITY_MAX = 1e-4;

type Rule = GateResult['rules'][number];

/** `leaks` names features that looked ahead; `championSchema` is false where the champion takes other features. */
export function passGate(
  gate: GateDefinition,
  evaluation: Evaluation,
  found: { readonly leaks: readonly string[]; readonly championSchema: boolean },
): GateResult {
  const rules = [
    leakage(found.leaks),
    baseline(gate, evaluation),
    ...significance(gate, evaluation),
    ...champion(gate, evaluation, found.championSchema),
    ...thresholds(gate, evaluation),
    parity(evaluation),
  ];
  const reasons = rules.filter(({ passed }) => !passed).map(({ rule, detail }) => `${rule}: ${detail}`);
  return { passed: reasons.length === 0, reasons, rules };
}

function parity({ parity: difference }: Evaluation): Rule {
  const detail =
    difference === null
      ? "not compared: XGBoost's library was not there, and nothing but our own prediction was used"
      : `our prediction and the library's ${difference === 0 ? 'are the same' : `differ by ${difference.toExponential(1)} at most`}`;
  return { rule: 'parity', passed: difference === null || difference <= PARITY_MAX, detail };
}

function leakage(leaks: readonly string[]): Rule {
  const detail = leaks.length === 0 ? 'no feature looks ahead' : `looks ahead: ${leaks.join(', ')}`;
  return { rule: 'leakage', passed: leaks.length === 0, detail };
}

function baseline({ margin }: GateDefinition, { metric, metrics, baselines }: Evaluation): Rule {
  const own = metrics[metric] ?? NaN;
  const naive = baselines.filter(({ name }) => name !== 'least_squares');
  const values = naive.map(({ metrics: theirs }) => theirs[metric] ?? NaN).filter(Number.isFinite);
  const best = LOSSES.has(metric) ? Math.min(...values) : Math.max(...values);
  const name = naive.find(({ metrics: theirs }) => theirs[metric] === best)?.name ?? 'none';
  const wanted = LOSSES.has(metric) ? best * (1 - margin) : best + margin;
  const passed = LOSSES.has(metric) ? own <= wanted : own >= wanted;
  return {
    rule: 'baseline',
    passed,
    detail: `${metric} ${text(own)}, ${LOSSES.has(metric) ? 'at most' : 'at least'} ${text(wanted)} wanted (${name} has ${text(best)})`,
  };
}

function significance({ significant }: GateDefinition, { metric, difference }: Evaluation): Rule[] {
  if (!significant) return [];
  if (!difference)
    return [{ rule: 'significance', passed: false, detail: 'there is no interval for the difference' }];
  const { low, high, to } = difference;
  const passed = LOSSES.has(metric) ? high < 0 : low > 0;
  return [
    {
      rule: 'significance',
      passed,
      detail: `the difference to ${to} lies between ${text(low)} and ${text(high)}${passed ? '' : ', which is no proof that it is better'}`,
    },
  ];
}

function champion({ tolerance }: GateDefinition, evaluation: Evaluation, sameSchema: boolean): Rule[] {
  if (!sameSchema)
    return [
      {
        rule: 'schema',
        passed: false,
        detail: 'the champion takes other features; promote by hand when its users are ready',
      },
    ];
  const { champion: stood, metric, metrics } = evaluation;
  if (!stood) return [];
  const own = metrics[metric] ?? NaN;
  const theirs = stood.metrics[metric] ?? NaN;
  const wanted = LOSSES.has(metric) ? theirs * (1 + tolerance) : theirs - tolerance;
  const passed = LOSSES.has(metric) ? own <= wanted : own >= wanted;
  return [
    {
      rule: 'champion',
      passed,
      detail: `${metric} ${text(own)}, the champion (version ${stood.version}) has ${text(theirs)} on the same rows`,
    },
  ];
}

function thresholds({ thresholds: wanted }: GateDefinition, { metrics }: Evaluation): Rule[] {
  return Object.entries(wanted).map(([name, { min, max }]) => {
    const value = metrics[name] ?? NaN;
    const passed = (min === undefined || value >= min) && (max === undefined || value <= max);
    const limits = [
      min === undefined ? '' : `at least ${min}`,
      max === undefined ? '' : `at most ${max}`,
    ].filter(Boolean);
    return { rule: 'threshold', passed, detail: `${name} ${text(value)}, ${limits.join(' and ')} wanted` };
  });
}

const text = (value: number): string => (Number.isFinite(value) ? value.toFixed(4) : 'unknown');
