/** `datalab alerts …`: what is wrong now, and what people say about it. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import {
  ALERT_MANAGER,
  type AcknowledgeRequest,
  type Episode,
  type Silence,
  type SilenceRequest,
} from '../../contracts/alerts.js';
import { alertsNow, tellManager } from '../../client/alerts.js';
import { loadConfig } from '../../config/config.js';
import { secondsOf } from '../../config/monitoring.js';
import { DatalabError } from '../../contracts/errors.js';
import type { AlertRule, Labels } from '../../contracts/monitoring.js';
import { activeRules, judge } from '../../monitoring/index.js';
import { EXIT } from '../exit.js';
import { print, withSession, type Session } from '../session.js';
import { plural, table } from '../text.js';

interface Json {
  readonly json?: boolean;
}

export function addAlerts(program: Command): void {
  const alerts = program.command('alerts').description('What is wrong now, and what was said about it');
  alerts
    .command('list')
    .description('open alerts, and silences')
    .option('--json', 'print JSON')
    .action(({ json }: Json) => withSession((session) => list(session, json)));
  alerts
    .command('ack')
    .argument('<alert>', 'its id or fingerprint, as in `datalab alerts list`')
    .description('say that somebody looks after it: it is not told again until it changes or ends')
    .option('--by <name>', 'who', userInfo().username)
    .option('--note <text>', 'what is being done', '')
    .option('--json', 'print JSON')
    .action((alert: string, { by, note, json }: { by: string; note: string } & Json) =>
      withSession(async (session) => {
        const request: AcknowledgeRequest = { alert, by, note };
        const episode = await tellManager<Episode>(session.temporal, ALERT_MANAGER.acknowledge, [request]);
        print(json, episode, `${episode.id} ${episode.rule}: acknowledged by ${by}`);
      }),
    );
  addSilences(alerts);
  addRules(alerts);
}

function addSilences(alerts: Command): void {
  const author = ['--by <name>', 'who', userInfo().username] as const;
  alerts
    .command('silence')
    .argument('<rule>', 'a rule, or a pattern such as table_*')
    .description('tell nobody of what matches, for a while')
    .requiredOption('--for <duration>', 'such as 30m, 2h, 1d', durationOf)
    .requiredOption('--reason <text>', 'why')
    .option('--label <label=pattern>', 'only alerts with this label; may be repeated', labelOf, {})
    .option(...author)
    .option('--json', 'print JSON')
    .action((rule: string, given: { for: number; reason: string; label: Labels; by: string } & Json) =>
      withSession(async (session) => {
        const { reason, label: labels, by, json } = given;
        const request: SilenceRequest = { rule, labels, reason, by, until: Date.now() + given.for * 1000 };
        const silence = await tellManager<Silence>(session.temporal, ALERT_MANAGER.silence, [request]);
        print(
          json,
          silence,
          `${silence.id}: ${rule} is silent until ${new Date(silence.until).toISOString()}`,
        );
      }),
    );
  alerts
    .command('unsilence')
    .argument('<silence>', 'its id, as in `datalab alerts list`')
    .description('end a silence')
    .option(...author)
    .option('--json', 'print JSON')
    .action((id: string, { by, json }: { by: string } & Json) =>
      withSession(async (session) => {
        const silence = await tellManager<Silence>(session.temporal, ALERT_MANAGER.unsilence, [id, by]);
        print(json, silence, `${silence.id}: ${silence.rule} is told again`);
      }),
    );
}

function addRules(alerts: Command): void {
  alerts
    .command('rules')
    .description('the rules that hold: built-in ones, and those of the configuration')
    .option('--json', 'print JSON')
    .action(async ({ json }: Json) => {
      const rules = await configuredRules();
      const rows = rules.map((rule) => [
        rule.name,
        rule.severity,
        conditionOf(rule),
        `${rule.forSeconds} s`,
        rule.summary,
      ]);
      print(json, rules, table(['rule', 'severity', 'condition', 'for', 'summary'], rows));
    });
  alerts
    .command('test')
    .argument('<rule>', 'as in `datalab alerts rules`')
    .description('hold one rule against a sample; exit code 1 when it finds something')
    .requiredOption('--against <file>', 'JSON: a list of {"metric", "labels", "value"}')
    .option('--json', 'print JSON')
    .action(async (name: string, { against, json }: { against: string } & Json) => {
      const rules = await configuredRules();
      const rule = rules.find((one) => one.name === name);
      if (!rule)
        throw new DatalabError(
          'CONFIG_INVALID',
          `there is no rule '${name}'; datalab alerts rules lists them`,
        );
      const { findings, judged } = judge([rule], await readSample(against));
      const series = judged[name] ?? 0;
      const said = findings.map(
        ({ severity, fingerprint, summary }) => `[${severity}] ${fingerprint}: ${summary}`,
      );
      print(
        json,
        { rule: name, series, findings },
        [`${plural(series, 'series')} of ${rule.metric} judged, ${findings.length} found`, ...said].join(
          '\n',
        ),
      );
      if (findings.length > 0) process.exitCode = EXIT.failed;
    });
}

const sampleSchema = z.array(
  z.object({
    metric: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    value: z.number(),
    detail: z.string().default(''),
  }),
);

async function readSample(file: string) {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new DatalabError('INPUT_INVALID', `${file} cannot be read: ${error.message}`, { cause: error });
  });
  try {
    return sampleSchema.parse(JSON.parse(text)).map((figure) => ({ ...figure, source: 'sample' }));
  } catch (error) {
    throw new DatalabError('INPUT_INVALID', `${file} is no list of {"metric", "labels", "value"}`, {
      cause: error,
    });
  }
}

async function configuredRules(): Promise<readonly AlertRule[]> {
  const { config } = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  return activeRules(config.monitoring.rules);
}

function conditionOf({ metric, condition }: AlertRule): string {
  return `${metric} ${condition.operator} ${condition.value}`;
}

async function list({ temporal }: Session, json: boolean | undefined): Promise<void> {
  const overview = await alertsNow(temporal);
  const rows = (overview?.open ?? []).map((episode) => [
    episode.id,
    episode.severity,
    episode.rule,
    new Date(episode.openedAt ?? 0).toISOString(),
    episode.acknowledged?.by ?? '',
    episode.summary,
  ]);
  const silences = (overview?.silences ?? []).map(
    ({ id, rule, by, reason, until }) =>
      `${id}: ${rule} is silent until ${new Date(until).toISOString()} (${by}: ${reason})`,
  );
  const text = [
    rows.length === 0
      ? 'no alert is open'
      : table(['alert', 'severity', 'rule', 'since', 'acknowledged', ''], rows),
    ...silences,
    overview === null
      ? 'monitoring has not reported yet'
      : `last report ${new Date(overview.lastReportAt).toISOString()}`,
  ].join('\n');
  print(
    json,
    overview ?? { open: [], pending: [], silences: [], failing: {}, recent: [], lastReportAt: 0 },
    text,
  );
}

function durationOf(text: string): number {
  const seconds = secondsOf(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('a number with s, m, h or d, such as 30m');
}

function labelOf(text: string, before: Labels): Labels {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('label=pattern is expected');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
