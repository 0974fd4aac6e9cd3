/**
 * The platform at a glance, for a terminal and as JSON: its services, and what monitoring found last. `./manage.sh health`
 * asks the services itself and takes the newest cycle; `datalab monitoring run` takes both from the cycle that it made.
 */
import type { AlertSeverity, MonitoringSummary } from '../contracts/monitoring.js';
import { renderTable } from './table.js';

export interface ServiceLine {
  readonly service: string;
  readonly title: string;
  /** `off`: this platform runs without it. */
  readonly state: 'up' | 'down' | 'off';
  readonly required: boolean;
  /** Response time in milliseconds; null where nothing was asked. */
  readonly ms: number | null;
  readonly detail: string;
}

export interface PlatformPicture {
  /** Whether every required service answers. */
  readonly healthy: boolean;
  readonly services: readonly ServiceLine[];
  /** The cycle that the rest is of, and how old it is; null where there was none, or it cannot be read (`problems` says so). */
  readonly cycle: MonitoringSummary['cycle'] | null;
  readonly ageSeconds: number | null;
  readonly probes: MonitoringSummary['probes'];
  readonly findings: MonitoringSummary['findings'];
  readonly problems: readonly string[];
}

/** A cycle is due every five minutes: after three of them something is wrong with monitoring itself. */
const OLD_SECONDS = 15 * 60;

export function pictureOf(
  services: readonly ServiceLine[],
  summary: MonitoringSummary | null,
  nowMs: number,
  problem?: string,
): PlatformPicture {
  const ageSeconds = summary && Math.max(0, Math.round((nowMs - Date.parse(summary.cycle.at)) / 1000));
  const old = ageSeconds !== null && ageSeconds > OLD_SECONDS;
  return {
    healthy: services.every(({ state, required }) => state !== 'down' || !required),
    services,
    cycle: summary?.cycle ?? null,
    ageSeconds,
    probes: summary?.probes ?? [],
    findings: summary?.findings ?? [],
    problems: [
      ...(problem === undefined ? [] : [problem]),
      ...(old
        ? [
            `monitoring has not measured for ${age(ageSeconds)}: look at the schedule datalab-monitoring-realtime and at the worker`,
          ]
        : []),
      ...(summary?.problems ?? []),
    ],
  };
}

const TITLES: Readonly<Record<string, string>> = {
  store: 'Object store',
  temporal: 'Temporal',
  mlflow: 'MLflow',
  'model-server': 'Model server',
  dashboard: 'Dashboard',
};

/** The services as a cycle measured them, with Kafka and the pools. */
export function servicesOf({ services = [], pools = [], probes }: MonitoringSummary): ServiceLine[] {
  const kafka = probes.find(({ probe }) => probe === 'kafka');
  return [
    ...services.map(({ service, up, ms, detail }): ServiceLine => ({
      ...{ service, title: TITLES[service] ?? service, state: up ? 'up' : 'down', ms, detail },
      required: service === 'store' || service === 'temporal',
    })),
    ...(kafka
      ? [
          {
            ...{ service: 'kafka', title: 'Kafka', required: false, detail: kafka.detail },
            state: !kafka.up ? ('down' as const) : kafka.count === 0 ? ('off' as const) : ('up' as const),
            ms: kafka.ms,
          },
        ]
      : []),
    ...pools.map(({ pool, pollers, backlog }): ServiceLine => ({
      ...{
        service: `pool-${pool}`,
        title: `Workers of ${pool}`,
        state: pollers > 0 ? 'up' : 'down',
        ms: null,
      },
      ...{ required: true, detail: `${counted(pollers, 'worker')}, ${counted(backlog, 'task')} waiting` },
    })),
  ];
}

const counted = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`;

type Paint = (code: number, text: string) => string;
const RED = 31;
const GREEN = 32;
const YELLOW = 33;
const GREY = 90;
const COLOURS: Readonly<Record<AlertSeverity, number>> = {
  info: GREY,
  warning: YELLOW,
  error: RED,
  critical: RED,
};

export function renderPicture(picture: PlatformPicture, { colour }: { readonly colour: boolean }): string {
  const paint: Paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return [...serviceLines(picture, paint), '', ...monitoringLines(picture, paint)].join('\n');
}

function serviceLines({ services }: PlatformPicture, paint: Paint): string[] {
  const [head = '', ...lines] = renderTable([
    ['service', 'state', 'ms', 'detail'],
    ...services.map(({ title, state, ms, detail }) => [title, state, String(ms ?? ''), detail]),
  ]).split('\n');
  const painted = lines.map((line, index) => {
    const { state, required } = services[index] ?? { state: 'up', required: false };
    if (state === 'up') return line;
    return paint(state === 'off' ? GREY : required ? RED : YELLOW, line);
  });
  return [head, ...painted];
}

function monitoringLines(
  { cycle, ageSeconds, probes, findings, problems }: PlatformPicture,
  paint: Paint,
): string[] {
  const said = problems.map((problem) => paint(YELLOW, `problem: ${problem}`));
  if (!cycle) return problems.length > 0 ? said : [paint(YELLOW, 'monitoring has not measured yet')];
  const [head = '', ...lines] = renderTable([
    ['probe', 'state', 'ms', 'figures', 'detail'],
    ...probes.map(({ probe, up, ms, count, detail }) => [
      ...[probe, up ? 'up' : 'down', String(ms), String(count), detail],
    ]),
  ]).split('\n');
  const found = findings.map(({ severity, fingerprint, summary }) =>
    paint(COLOURS[severity], `[${severity}] ${fingerprint}: ${summary}`),
  );
  const title = `monitoring, measured ${age(ageSeconds ?? 0)} ago (${cycle.at})`;
  return [
    (ageSeconds ?? 0) > OLD_SECONDS ? paint(RED, title) : title,
    head,
    ...lines.map((line, index) => (probes[index]?.up === false ? paint(RED, line) : line)),
    ...(found.length === 0 ? [paint(GREEN, 'monitoring found nothing wrong')] : found),
    ...said,
  ];
}

/** `40 s`, `7 min`, `3 h`. */
export function age(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
