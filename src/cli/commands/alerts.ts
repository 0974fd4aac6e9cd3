/** `datalab alerts …`: what is wrong now, and what people say about it. */
import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import {
  ALERT_MANAGER,
  matchesLabels,
  matchesPattern,
  type AcknowledgeRequest,
  type AlertOverview,
  type Episode,
  type Silence,
  type SilenceRequest,
} from '../../contracts/alerts.js';
import { alertsNow, tellManager } from '../../client/alerts.js';
import { secondsOf } from '../../config/monitoring.js';
import { SEVERITIES, type Labels } from '../../contracts/monitoring.js';
import { age } from '../../platform/picture.js';
import { print, withSession, type Session } from '../session.js';
import { plural } from '../text.js';
import { addRules } from './alert-rules.js';

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
    .option('--label <label=pattern>', 'only alerts with this label; may be repeated', labelOf)
    .option(...author)
    .option('--json', 'print JSON')
    .action((rule: string, given: { for: number; reason: string; label?: Labels; by: string } & Json) =>
      withSession(async (session) => {
        const { reason, label: labels = {}, by, json } = given;
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

async function list({ temporal }: Session, json: boolean | undefined): Promise<void> {
  const overview = (await alertsNow(temporal)) ?? NOTHING;
  print(json, overview, alertsText(overview, Date.now()));
}

const NOTHING: AlertOverview = {
  ...{ open: [], pending: [], silences: [], failing: {}, channels: {}, recent: [], lastReportAt: 0 },
};

/** The worst first, each with what it says on a line of its own. */
export function alertsText(overview: AlertOverview, nowMs: number): string {
  const { open, pending, silences, failing, channels, lastReportAt } = overview;
  const ago = (ms: number): string => `${age((nowMs - ms) / 1000)} ago`;
  const rank = ({ severity }: Episode): number => -SEVERITIES.indexOf(severity);
  const lines = [...open]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap((episode) => {
      const { id, severity, rule, openedAt, acknowledged, summary } = episode;
      const silence = silences.find(
        (one) => matchesPattern(rule, one.rule) && matchesLabels(episode.labels, one.labels),
      );
      const said = [
        `since ${new Date(openedAt ?? 0).toISOString()} (${ago(openedAt ?? 0)})`,
        ...(acknowledged
          ? [`acknowledged by ${acknowledged.by}${acknowledged.note ? `: ${acknowledged.note}` : ''}`]
          : []),
        ...(silence ? [`silenced by ${silence.id}`] : []),
      ];
      return [`${id}  [${severity}] ${rule}, ${said.join(', ')}`, `    ${summary}`];
    });
  const held = Object.entries(failing).map(
    ([channel, reason]) =>
      `alerts do not go out over ${channel} (${channels[channel]?.waiting ?? 0} wait): ${reason}`,
  );
  return [
    ...(lines.length === 0 ? ['no alert is open'] : lines),
    ...(pending.length > 0
      ? [`${plural(pending.length, 'more finding')} not yet for long enough to be an alert`]
      : []),
    ...held,
    ...silences.map(
      ({ id, rule, labels, by, reason, until }) =>
        `${id}: ${rule}${Object.keys(labels).length > 0 ? ` ${JSON.stringify(labels)}` : ''} is silent until ${new Date(until).toISOString()} (${by}: ${reason}); datalab alerts unsilence ${id} ends it`,
    ),
    lastReportAt === 0
      ? 'monitoring has not reported yet'
      : `last report ${new Date(lastReportAt).toISOString()} (${ago(lastReportAt)})`,
  ].join('\n');
}

function durationOf(text: string): number {
  const seconds = secondsOf(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('a number with s, m, h or d, such as 30m');
}

function labelOf(text: string, before: Labels = {}): Labels {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('label=pattern is expected');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
