/** What the server counts, in the text format of Prometheus. */

const BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

type Labels = Readonly<Record<string, string>>;

interface Histogram {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

interface Series {
  readonly labels: Labels;
  value: number;
}

interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly series: Map<string, Series>;
}

export class Metrics {
  private readonly families = new Map<string, Family>();
  private readonly requests = new Map<string, Histogram>();
  /** Series by the values that tell them apart, so that counting a request writes no text. */
  private readonly counted = new Map<string, Map<string | number, Series>>();

  /** `route` is the pattern, never the address: what callers write must not make series. */
  answered(route: string, status: number, seconds: number): void {
    this.kept(route, status, () =>
      this.series('requests_total', 'Requests answered.', { route, status: String(status) }),
    ).value += 1;
    let histogram = this.requests.get(route);
    if (!histogram) {
      histogram = { labels: { route }, counts: BUCKETS_SECONDS.map(() => 0), sum: 0, count: 0 };
      this.requests.set(route, histogram);
    }
    histogram.sum += seconds;
    histogram.count += 1;
    for (let bucket = BUCKETS_SECONDS.length - 1; bucket >= 0; bucket -= 1) {
      if (seconds > (BUCKETS_SECONDS[bucket] ?? 0)) break;
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
    }
  }

  predicted(model: string, version: string, by: 'row' | 'key', count: number): void {
    this.kept(`${model} ${by}`, version, () =>
      this.series('predictions_total', 'Predictions made.', { model, version, by }),
    ).value += count;
  }

  reloaded(model: string, outcome: 'ok' | 'failed'): void {
    this.add('reloads_total', 'Champions loaded, or not.', { model, outcome });
  }

  logged(outcome: 'written' | 'dropped', count: number): void {
    this.add('log_rows_total', 'Predictions written to the lake, or dropped.', { outcome }, count);
  }

  /** The text; gauges are what they are at this moment. */
  render(gauges: ReadonlyArray<{ name: string; help: string; labels?: Labels; value: number }>): string {
    const now = new Map<string, Family>();
    for (const { name, help, labels = {}, value } of gauges) {
      const family = now.get(name) ?? { help, type: 'gauge' as const, series: new Map() };
      family.series.set(textOf(labels), { labels, value });
      now.set(name, family);
    }
    const lines = [...this.families, ...now].flatMap(([name, { help, type, series }]) => [
      ...heading(name, help, type),
      ...[...series.values()].map(({ labels, value }) => `${PREFIX}${name}${textOf(labels)} ${value}`),
    ]);
    return `${[...lines, ...this.durations()].join('\n')}\n`;
  }

  private durations(): string[] {
    if (this.requests.size === 0) return [];
    const name = 'request_duration_seconds';
    const lines = [...this.requests.values()].flatMap(({ labels, counts, sum, count }) => [
      ...BUCKETS_SECONDS.map(
        (limit, index) =>
          `${PREFIX}${name}_bucket${textOf({ ...labels, le: String(limit) })} ${counts[index] ?? 0}`,
      ),
      `${PREFIX}${name}_bucket${textOf({ ...labels, le: '+Inf' })} ${count}`,
      `${PREFIX}${name}_sum${textOf(labels)} ${sum}`,
      `${PREFIX}${name}_count${textOf(labels)} ${count}`,
    ]);
    return [...heading(name, 'Time until an answer was sent.', 'histogram'), ...lines];
  }

  private kept(group: string, one: string | number, make: () => Series): Series {
    const found = this.counted.get(group)?.get(one);
    if (found) return found;
    const made = make();
    const known = this.counted.get(group) ?? new Map<string | number, Series>();
    this.counted.set(group, known.set(one, made));
    return made;
  }

  private add(name: string, help: string, labels: Labels, by = 1): void {
    this.series(name, help, labels).value += by;
  }

  private series(name: string, help: string, labels: Labels): Series {
    let family = this.families.get(name);
    if (!family) {
      family = { help, type: 'counter', series: new Map() };
      this.families.set(name, family);
    }
    const key = textOf(labels);
    const one = family.series.get(key) ?? { labels, value: 0 };
    family.series.set(key, one);
    return one;
  }
}

const PREFIX = 'datalab_model_server_';

const heading = (name: string, help: string, type: string): string[] => [
  `# HELP ${PREFIX}${name} ${help}`,
  `# TYPE ${PREFIX}${name} ${type}`,
];

function textOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
