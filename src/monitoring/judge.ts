/** Holds measurements against rules. Pure: the same sample and rules give the same findings. */
import { matchesLabels } from '../contracts/alerts.js';
import type { AlertRule, Finding, Labels, Measurement, Operator } from '../contracts/monitoring.js';

const SUMMARY_MAX = 300;

/** A figure with the probe that measured it. */
export interface Sourced extends Measurement {
  readonly source: string;
}

export interface JudgedSample {
  readonly findings: readonly Finding[];
  /** Rules by name with the number of series that each judged: a rule that judges none may be misspelt. */
  readonly judged: Readonly<Record<string, number>>;
}

/** Every rule against every series of its metric. A finding that another one explains (`unless`) is left out. */
export function judge(rules: readonly AlertRule[], sample: readonly Sourced[]): JudgedSample {
  const byMetric = new Map<string, Sourced[]>();
  for (const figure of sample) {
    const series = byMetric.get(figure.metric);
    if (series) series.push(figure);
    else byMetric.set(figure.metric, [figure]);
  }
  const judged: Record<string, number> = {};
  const found: Array<{ finding: Finding; unless: readonly string[] }> = [];
  for (const rule of rules) {
    const series = (byMetric.get(rule.metric) ?? []).filter(({ labels }) =>
      matchesLabels(labels, rule.where),
    );
    judged[rule.name] = series.length;
    for (const figure of series)
      if (holds(figure.value, rule.condition))
        found.push({ finding: findingOf(rule, figure), unless: rule.unless });
  }
  const holding = new Set(found.map(({ finding }) => finding.rule));
  return {
    findings: found
      .filter(({ unless }) => !unless.some((name) => holding.has(name)))
      .map(({ finding }) => finding),
    judged,
  };
}

function holds(value: number, { operator, value: limit }: AlertRule['condition']): boolean {
  const tests: Record<Operator, boolean> = {
    '>': value > limit,
    '>=': value >= limit,
    '<': value < limit,
    '<=': value <= limit,
    '==': value === limit,
    '!=': value !== limit,
  };
  return tests[operator];
}

function findingOf(rule: AlertRule, figure: Sourced): Finding {
  const labels = { ...figure.labels, ...rule.labels };
  return {
    fingerprint: fingerprintOf(rule.name, figure.labels),
    rule: rule.name,
    source: figure.source,
    severity: rule.severity,
    labels,
    value: figure.value,
    summary: fill(rule.summary, figure, labels).slice(0, SUMMARY_MAX),
    forSeconds: rule.forSeconds,
  };
}

function fingerprintOf(rule: string, labels: Labels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return `${rule}{${pairs.join(',')}}`;
}

function fill(template: string, { value, detail }: Measurement, labels: Labels): string {
  return template.replace(/\{([A-Za-z_]\w*)\}/g, (whole, name: string) => {
    if (name === 'value') return readable(value);
    if (name === 'detail') return detail ?? '';
    return labels[name] ?? whole;
  });
}

function readable(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
