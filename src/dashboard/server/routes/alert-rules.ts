/** Alert rules and channels: what holds, setting a rule and trying it first, and what was delivered. */
import { z } from 'zod';
import { SEVERITIES } from '../../../contracts/monitoring.js';
import { instant } from '../datasets.js';
import { NEWEST_SAMPLE, RuleBook, ruleText, sampleOf, tryRule, type SampleRow } from '../rules.js';
import type { App, RouteContext } from '../server.js';
import {
  alertChannels,
  alertRules,
  alertTimeline,
  ruleInput,
  ruleTrial,
  type AlertChannels,
} from '../shapes/alerts.js';
import { done } from '../shapes/common.js';

const FINDINGS_SHOWN = 100;
const DELIVERIES =
  'SELECT channel, max(CASE WHEN change = \'delivered\' THEN "at" END) AS delivered_at, ' +
  "arg_max(lag_ms, \"at\") FILTER (change = 'delivered') AS lag_ms, count(*) FILTER (change = 'delivered') AS delivered, " +
  "count(*) FILTER (change = 'undelivered') AS undelivered FROM alerts WHERE channel IS NOT NULL GROUP BY channel";

interface Delivery {
  readonly channel: string;
  readonly delivered_at: string | null;
  readonly lag_ms: number | null;
  readonly delivered: number;
  readonly undelivered: number;
}

export async function alertRuleRoutes(app: App, context: RouteContext): Promise<void> {
  const { deps, hub } = context;
  const book = new RuleBook({ store: deps.store, lake: deps.lake.store }, deps.config.monitoring.rules);
  const newest = (): Promise<SampleRow[]> => hub.records.rows<SampleRow>(['metrics'], NEWEST_SAMPLE);

  app.get(
    '/api/alert-rules',
    {
      schema: {
        summary: 'Every rule with where it comes from, those that are switched off among them',
        response: { 200: alertRules },
      },
    },
    async () => {
      const [known, sample] = await Promise.all([book.known(), newest()]);
      return {
        rules: known.map(({ rule, origin, under, by, at }) => ({
          ...{ rule: ruleText(rule), origin, by, at, under: under && ruleText(under) },
        })),
        metrics: [...new Set(sample.map(({ metric }) => metric))].sort(),
      };
    },
  );

  app.post(
    '/api/alert-rules/test',
    {
      config: { access: 'viewer', cli: 'alerts test' },
      schema: {
        summary: 'Hold a rule against the newest sample; changes nothing',
        body: ruleInput,
        response: { 200: ruleTrial },
      },
    },
    async ({ body }) => {
      const rows = await newest();
      const { series, findings } = tryRule(body, sampleOf(rows));
      return {
        ...{ at: rows[0] ? instant(rows[0].at) : null, series },
        findings: findings.slice(0, FINDINGS_SHOWN),
      };
    },
  );

  app.put(
    '/api/alert-rules/:name',
    {
      config: { access: 'admin', audit: 'set alert rule', cli: 'alerts set' },
      schema: {
        summary: 'Set a rule over the one of its name; monitoring goes by it from its next cycle on',
        params: z.object({ name: z.string().max(100) }),
        body: ruleInput.omit({ name: true }),
        response: { 200: done },
      },
    },
    async ({ params: { name }, body, caller }) => {
      await book.set({ name, ...body }, caller?.name ?? '');
      return { done: true };
    },
  );

  app.delete(
    '/api/alert-rules/:name',
    {
      config: { access: 'admin', audit: 'reset alert rule', cli: 'alerts reset' },
      schema: {
        summary: 'Take a rule that was set here away; what it stood over holds again',
        params: z.object({ name: z.string().max(100) }),
        response: { 200: done },
      },
    },
    async ({ params: { name } }) => {
      await book.reset(name);
      return { done: true };
    },
  );
  await tellingRoutes(app, context);
}

async function tellingRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/alert-channels',
    {
      schema: {
        summary: 'Channels with whose alerts go there, and what was delivered',
        response: { 200: alertChannels },
      },
    },
    async () => {
      const { monitoring, kafka } = deps.config;
      const rows = await hub.records.rows<Delivery>(['alerts'], DELIVERIES);
      const of = (name: string, kind: string): AlertChannels['channels'][number] => {
        const found = rows.find(({ channel }) => channel === name);
        return {
          ...{ name, kind },
          severities: SEVERITIES.filter((severity) =>
            monitoring.routes[severity].some((one) => one === '*' || one === name),
          ),
          deliveredAt: found?.delivered_at ? instant(found.delivered_at) : null,
          lagMs: found?.lag_ms ?? null,
          ...{ delivered: found?.delivered ?? 0, undelivered: found?.undelivered ?? 0 },
        };
      };
      return {
        channels: [
          of('log', 'log'),
          ...(kafka.enabled ? [of('kafka', 'kafka')] : []),
          ...monitoring.channels.map(({ name, type }) => of(name, type)),
        ],
      };
    },
  );

  app.get(
    '/api/alert-timeline',
    {
      schema: {
        summary: 'What was recorded of alerts, newest first, by page',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).max(100_000).default(0),
        }),
        response: { 200: alertTimeline },
      },
    },
    async ({ query: { limit, offset } }) => {
      const [count] = await hub.records.rows<{ n: number }>(['alerts'], 'SELECT count(*) AS n FROM alerts');
      const rows = await hub.records.rows<z.input<typeof alertTimeline>['rows'][number]>(
        ['alerts'],
        `SELECT "at", change, rule, fingerprint, severity, summary, actor, channel FROM alerts ORDER BY "at" DESC LIMIT ${limit} OFFSET ${offset}`,
      );
      return { total: count?.n ?? 0, rows: rows.map((row) => ({ ...row, at: instant(row.at) })) };
    },
  );
}
