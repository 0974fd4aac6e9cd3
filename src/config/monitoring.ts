/** The part of `datalab.yaml` that monitoring reads: rules, routes, channels, targets, limits. */
import { z } from 'zod';
import { OPERATORS, SEVERITIES, type Operator, type SwitchedRule } from '../contracts/monitoring.js';

const positive = z.number().int().positive();
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'lower-case letters, digits, _ and -');
const labels = z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'a label name'), z.string());

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const DURATION = /^(\d{1,6})(s|m|h|d)$/;

/** `90s`, `5m`, `2h`, `1d` → seconds. */
export function secondsOf(text: string): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  return Number(amount) * UNITS[unit as keyof typeof UNITS];
}

export const duration = z.string().regex(DURATION, 'a number with s, m, h or d, such as 5m');

const CONDITION = /^(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?)$/;

/** A rule as people write it. */
export const ruleSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'lower-case letters, digits and _'),
    metric: z.string().regex(/^[a-z]+(\.[a-z_]+)+$/, 'a metric such as service.up'),
    condition: z.string().regex(CONDITION, `one of ${OPERATORS.join(' ')} and a number, such as "> 10"`),
    for: duration.default('0s').describe('How long it must hold before the alert opens.'),
    severity: z.enum(SEVERITIES),
    where: labels.default({}).describe('Label → pattern: * is any text, a leading ! is everything but.'),
    labels: labels.default({}).describe('Labels that the alert gets beside those of the series.'),
    summary: z.string().min(1).max(300).describe('{value}, {detail} and {<label>} are filled in.'),
    unless: z.array(z.string()).default([]).describe('Rules whose alerts explain this one.'),
    enabled: z.boolean().default(true),
  })
  .transform(({ condition, for: held, ...rest }) => {
    const [, operator, value] = CONDITION.exec(condition) ?? [];
    return {
      ...rest,
      condition: { operator: operator as Operator, value: Number(value) },
      forSeconds: secondsOf(held),
    };
  });

/** A rule in the form in which people write it; what is as it is by default is left out. */
export function ruleText(rule: SwitchedRule): z.input<typeof ruleSchema> {
  const {
    condition,
    forSeconds,
    where,
    labels: own,
    unless,
    enabled,
    name,
    metric,
    severity,
    summary,
  } = rule;
  const unit = (Object.entries(UNITS).reverse() as Array<[string, number]>).find(
    ([, seconds]) => forSeconds > 0 && forSeconds % seconds === 0,
  );
  return {
    ...{ name, metric, condition: `${condition.operator} ${condition.value}`, severity, summary },
    ...(unit && { for: `${forSeconds / unit[1]}${unit[0]}` }),
    ...(Object.keys(where).length > 0 && { where: { ...where } }),
    ...(Object.keys(own).length > 0 && { labels: { ...own } }),
    ...(unless.length > 0 && { unless: [...unless] }),
    ...(!enabled && { enabled }),
  };
}

const channel = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('webhook'),
    name,
    url: z.url({ protocol: /^https?$/ }).optional(),
    urlEnv: z.string().optional().describe('The variable that holds the address, where that is a secret.'),
    format: z.enum(['json', 'slack']).default('json'),
  }),
  z.strictObject({
    type: z.literal('email'),
    name,
    host: z.string().min(1),
    port: positive.default(587),
    secure: z.boolean().default(false).describe('TLS from the start; else STARTTLS where the server has it.'),
    user: z.string().optional(),
    passwordEnv: z.string().optional().describe('The variable that holds the password.'),
    from: z.email(),
    to: z.array(z.email()).min(1),
  }),
]);

const target = z
  .strictObject({
    name,
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Up when it answers with a status below 400.'),
    tcp: z
      .string()
      .regex(/^.+:\d+$/, 'host:port')
      .optional()
      .describe('Up when it takes a connection.'),
  })
  .refine(({ url, tcp }) => (url === undefined) !== (tcp === undefined), 'either url or tcp');

const route = z.array(z.string()).default(['*']);

export const monitoringSchema = z
  .strictObject({
    rules: z.array(ruleSchema).default([]).describe('Over the built-in rules, by name.'),
    channels: z
      .array(channel)
      .default([])
      .describe('Beside the channels log and kafka, which are always there.'),
    routes: z
      .strictObject({ info: route, warning: route, error: route, critical: route })
      .prefault({})
      .describe('Channels by severity; * is all of them.'),
    targets: z.array(target).default([]).describe('More services to ask, by HTTP or TCP.'),
    probeTimeoutSeconds: positive
      .max(55, 'at most 55: a cycle takes less than a minute')
      .default(30)
      .describe('Longest time that one probe of a cycle may take.'),
    targetTimeoutSeconds: positive.default(10).describe('Longest time that one service may take to answer.'),
    freshness: duration
      .default('30h')
      .transform(secondsOf)
      .describe('How old the newest data of a dataset may be whose dataset.yaml does not say.'),
    smallFileMb: z.number().positive().default(32),
    lateAfterMinutes: positive.default(15).describe('A run that has not started by then is late.'),
    expectedRunsDays: positive.default(2).describe('How far back each cycle compares schedules with runs.'),
    circuitBreaker: z
      .strictObject({ failures: positive.default(5), runs: positive.default(10) })
      .prefault({})
      .describe('So many failures in the last so many runs pause a schedule.'),
    alerts: z
      .strictObject({
        repeatAfter: duration.default('4h').describe('An open alert is told again; 0s: never.'),
        floodCap: positive.default(10).describe('More messages than this become one digest.'),
        floodWindow: duration.default('10m'),
        flapOpenings: positive.default(3),
        flapWindow: duration.default('1h'),
        flapHold: duration.default('15m'),
      })
      .prefault({}),
    heartbeatUrlEnv: z
      .string()
      .default('DATALAB_HEARTBEAT_URL')
      .describe('The variable with the address that every cycle calls: a dead man’s switch.'),
  })
  .superRefine(({ rules, channels, routes, targets }, context) => {
    const twice = (kind: string, names: readonly string[]): void => {
      for (const repeated of new Set(names.filter((one, index) => names.indexOf(one) !== index)))
        context.addIssue({ code: 'custom', path: [kind], message: `'${repeated}' is there twice` });
    };
    twice(
      'rules',
      rules.map((one) => one.name),
    );
    twice('channels', ['log', 'kafka', ...channels.map((one) => one.name)]);
    twice(
      'targets',
      targets.map((one) => one.name),
    );
    channels.forEach((one, index) => {
      if (one.type === 'webhook' && (one.url === undefined) === (one.urlEnv === undefined))
        context.addIssue({ code: 'custom', path: ['channels', index], message: 'either url or urlEnv' });
    });
    const known = new Set(['*', 'log', 'kafka', ...channels.map((one) => one.name)]);
    for (const severity of SEVERITIES)
      for (const one of routes[severity])
        if (!known.has(one))
          context.addIssue({
            code: 'custom',
            path: ['routes', severity],
            message: `there is no channel '${one}'; there are ${[...known].join(', ')}`,
          });
  })
  .prefault({});
