/** What monitoring measures, the rules that judge it, and the activities of one cycle. */
import type { AlertMessage, AlertPolicy, AlertReport, AlertRow } from './alerts.js';

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type AlertSeverity = (typeof SEVERITIES)[number];

export type Labels = Readonly<Record<string, string>>;

/** One figure at one moment. `detail` says more for people, such as why a service is down. */
export interface Measurement {
  /** Dotted, such as `service.up`; docs/reference/monitoring.md lists them with their units. */
  readonly metric: string;
  readonly labels: Labels;
  readonly value: number;
  readonly detail?: string;
}

export const PROBES = ['kafka', 'lake', 'services', 'schedules', 'relay'] as const;
export type ProbeName = (typeof PROBES)[number];

/** One cycle: everything in it is measured for the same moment. */
export interface Cycle {
  /** Temporal's run id of the cycle. */
  readonly id: string;
  /** ISO instant at which it started. */
  readonly at: string;
}

/** What a probe found. A probe that fails is an answer too: `up` is false and `detail` says why. */
export interface ProbeAnswer {
  readonly probe: ProbeName;
  readonly up: boolean;
  readonly ms: number;
  readonly detail: string;
  /** How many figures it measured. */
  readonly count: number;
  /** The figures, where they are few; else they are in the lake at `reference`. */
  readonly measurements: readonly Measurement[];
  readonly reference: string | null;
}

export const OPERATORS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Operator = (typeof OPERATORS)[number];

/** One alert rule. Each series of the metric that `where` matches is judged by itself. */
export interface AlertRule {
  readonly name: string;
  readonly metric: string;
  readonly condition: { readonly operator: Operator; readonly value: number };
  /** How long the condition must hold before the alert opens, in seconds. */
  readonly forSeconds: number;
  readonly severity: AlertSeverity;
  /** Label → pattern: `*` stands for any text, a leading `!` for everything but. */
  readonly where: Labels;
  /** Labels that the alert gets beside those of the series. */
  readonly labels: Labels;
  /** `{value}`, `{detail}` and `{<label>}` are filled in. */
  readonly summary: string;
  /** Rules whose alerts explain this one: while one of them holds in the same sample, this one is silent. */
  readonly unless: readonly string[];
}

/** A rule that may be switched off: as configuration and overrides have it. */
export interface SwitchedRule extends AlertRule {
  readonly enabled: boolean;
}

/** A rule that somebody set at run time, over the built-in one or that of the configuration with its name. */
export interface RuleOverride {
  readonly rule: SwitchedRule;
  readonly by: string;
  /** ISO instant. */
  readonly at: string;
}

/** Overrides as the workers find them in the lake; a higher revision is newer. */
export interface RuleOverrides {
  readonly schema: 'datalab.rule-overrides/1';
  readonly revision: number;
  readonly rules: readonly RuleOverride[];
}

/** Their key in the lake. */
export const RULE_OVERRIDES_KEY = '_monitoring/rule-overrides.json';

/** Where the rule that holds comes from. */
export type RuleOrigin = 'built-in' | 'configuration' | 'override';

/** A rule that holds for one series in one sample. */
export interface Finding {
  /** `rule{label=value,…}`: the same for the same trouble. */
  readonly fingerprint: string;
  readonly rule: string;
  /** Who measured it; an alert only resolves when its source has measured again. */
  readonly source: string;
  readonly severity: AlertSeverity;
  readonly labels: Labels;
  readonly value: number;
  readonly summary: string;
  readonly forSeconds: number;
}

/** The judgement of one sample. */
export interface Judgement {
  readonly findings: readonly Finding[];
  /** Findings beyond the most that one report may carry; they are counted, not lost silently. */
  readonly left: number;
  readonly policy: AlertPolicy;
  /** Probes whose figures were lost between the measuring and the judging: nothing is known of what they measure. */
  readonly lost?: readonly ProbeName[];
  /** What of the rules could not be read; absent where all could. */
  readonly problems?: readonly string[];
}

/** One service as a cycle found it, for a first look. */
export interface ServiceSeen {
  readonly service: string;
  readonly up: boolean;
  readonly ms: number | null;
  readonly detail: string;
}

export interface PoolSeen {
  readonly pool: string;
  readonly pollers: number;
  readonly backlog: number;
}

/** What `platformMonitoring` returns. */
export interface MonitoringSummary {
  readonly cycle: Cycle;
  readonly probes: ReadonlyArray<Omit<ProbeAnswer, 'measurements'>>;
  readonly findings: ReadonlyArray<Pick<Finding, 'fingerprint' | 'severity' | 'summary'>>;
  /** The services and pools; empty where there are so many that their figures lie in the lake, absent in older answers. */
  readonly services?: readonly ServiceSeen[];
  readonly pools?: readonly PoolSeen[];
  /** What could not be done besides measuring; empty when all went well. */
  readonly problems: readonly string[];
}

export interface MonitoringActivities {
  probeKafka(cycle: Cycle): Promise<ProbeAnswer>;
  probeLake(cycle: Cycle): Promise<ProbeAnswer>;
  probeServices(cycle: Cycle): Promise<ProbeAnswer>;
  probeSchedules(cycle: Cycle): Promise<ProbeAnswer>;
  /** Sends what runs could not send, and measures what is still unsent. */
  relayAll(cycle: Cycle): Promise<ProbeAnswer>;
  /** Holds the sample against the rules. */
  judgeSample(cycle: Cycle, answers: readonly ProbeAnswer[]): Promise<Judgement>;
  /** Appends the sample to `meta.metrics`, sends it to Kafka, keeps it as the newest. Returns what did not work. */
  recordSample(cycle: Cycle, answers: readonly ProbeAnswer[]): Promise<readonly string[]>;
  /** Hands the findings to the alert manager, starting it where it does not run. */
  reportFindings(report: AlertReport): Promise<void>;
  /** Takes the logs of queries and of the dashboard's changes into their tables; says how many rows came. */
  takeLogs(cycle: Cycle): Promise<{ readonly queries: number; readonly changes: number }>;
  /** Pauses the schedules whose runs fail again and again. Returns those that it paused. */
  breakCircuits(cycle: Cycle): Promise<readonly string[]>;
  /** Tells the dead man's switch that this cycle came to its end. */
  beatHeart(cycle: Cycle): Promise<void>;
  /** Sends messages over one channel. */
  deliverAlerts(channel: string, messages: readonly AlertMessage[]): Promise<void>;
  /** Appends to `meta.alerts`. */
  recordAlerts(rows: readonly AlertRow[], sequence: number): Promise<void>;
}
