/** `datalab alerts rules | set | reset | test`: the rules that hold, changed at run time, and tried against a sample. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../../config/config.js';
import { ruleText } from '../../config/monitoring.js';
import { DatalabError } from '../../contracts/errors.js';
import type { AlertRule } from '../../contracts/monitoring.js';
// Not from the server's index, which is all of the server.
import {
  parseRule,
  publishedRules,
  RuleBook,
  sampleOf,
  type SampleRow,
} from '../../dashboard/server/rules.js';
import { Store } from '../../dashboard/server/store.js';
import { queryLake } from '../../lake/query.js';
import { judge, knownRules, type KnownRule, type Sourced } from '../../monitoring/index.js';
import { EXIT } from '../exit.js';
import { withLake } from '../lake.js';
import { rowsAsObjects } from '../rows.js';
import { lakeOf } from '../run-files.js';
import { print } from '../session.js';
import { count, table } from '../text.js';

interface Json {
  readonly json?: boolean;
}

export function addRules(alerts: Command): void {
  alerts
    .command('rules')
    .description('every rule and where it comes from: built in, the configuration, or set at run time')
    .option('--json', 'print JSON')
    .action(({ json }: Json) => list(json));
  alerts
    .command('set')
    .argument(
      '<rule>',
      'as in `datalab alerts rules --json`, with its keys as in datalab.yaml; or - for standard input',
    )
    .description('set a rule over the one of its name; monitoring goes by it from its next cycle on')
    .option('--json', 'print JSON')
    .action((rule: string, { json }: Json) => set(rule, json));
  alerts
    .command('reset')
    .argument('<rule>', 'the name of a rule that was set')
    .description('take a rule that was set away; the one that it stood over holds again')
    .action((name: string) =>
      withBook(async (book, store, who) => {
        await book.reset(name);
        await store.audit({ ...who, action: 'reset alert rule', target: name, detail: '', outcome: 'done' });
        process.stdout.write(`${name}: reset\n`);
      }),
    );
  alerts
    .command('test')
    .argument('<rule>', 'a name as in `datalab alerts rules`, or a rule as JSON')
    .description('hold one rule against a sample; exit code 1 when it finds something')
    .option(
      '--against <file>',
      'JSON: a list of {"metric", "labels", "value"}; default: the newest sample that was recorded',
    )
    .option('--json', 'print JSON')
    .action((rule: string, flags: { against?: string } & Json) => test(rule, flags));
}

/** Rules as the workers go by them. Without the lake, those of the configuration, and why. */
async function rulesNow(): Promise<KnownRule[]> {
  const loaded = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  const configured = loaded.config.monitoring.rules;
  try {
    return knownRules(configured, (await publishedRules(lakeOf(loaded))).rules);
  } catch (error) {
    process.stderr.write(`rules set at run time cannot be read: ${(error as Error).message}\n`);
    return knownRules(configured);
  }
}

async function list(json: boolean | undefined): Promise<void> {
  const known = await rulesNow();
  const rows = known.map(({ rule, origin, by }) => [
    rule.name,
    origin === 'override' ? `set by ${by ?? ''}` : origin,
    rule.enabled ? rule.severity : 'off',
    `${rule.metric} ${rule.condition.operator} ${rule.condition.value}`,
    ruleText(rule).for ?? 'at once',
    rule.summary,
  ]);
  const data = known.map(({ rule, under, ...rest }) => ({
    ...{ ...rest, ...ruleText(rule), enabled: rule.enabled },
    under: under && ruleText(under),
  }));
  print(json, data, table(['rule', 'from', 'severity', 'condition', 'for', 'summary'], rows));
}

async function withBook(
  body: (book: RuleBook, store: Store, who: { who: string; role: string }) => Promise<void>,
): Promise<void> {
  const loaded = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
  const { config, projectDirectory } = loaded;
  const store = await Store.open(path.resolve(projectDirectory, config.dashboard.directory));
  try {
    const who = { who: `cli:${userInfo().username}`, role: 'admin' };
    await body(new RuleBook({ store, lake: lakeOf(loaded) }, config.monitoring.rules), store, who);
  } finally {
    store.close();
  }
}

function set(given: string, json: boolean | undefined): Promise<void> {
  return withBook(async (book, store, who) => {
    const text = given === '-' ? await readFile('/dev/stdin', 'utf8') : given;
    const made = await book.set(parseJson(text), who.who);
    await store.audit({
      ...{ ...who, action: 'set alert rule', target: made.rule.name },
      ...{ detail: text, outcome: 'done' },
    });
    print(json, made, `${made.rule.name}: set; monitoring goes by it from its next cycle on`);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DatalabError('INPUT_INVALID', `the rule is no JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function test(given: string, { against, json }: { against?: string } & Json): Promise<void> {
  const rule = await ruleOf(given);
  const sample = against === undefined ? await newestSample() : await readSample(against);
  const { findings, judged } = judge([rule], sample);
  const series = judged[rule.name] ?? 0;
  const said = findings.map(
    ({ severity, fingerprint, summary }) => `[${severity}] ${fingerprint}: ${summary}`,
  );
  const head = `${count(series)} series of ${rule.metric} judged, ${findings.length} found`;
  print(json, { rule: rule.name, series, findings }, [head, ...said].join('\n'));
  if (findings.length > 0) process.exitCode = EXIT.failed;
}

async function ruleOf(given: string): Promise<AlertRule> {
  if (given.trim().startsWith('{')) {
    return parseRule(parseJson(given));
  }
  const found = (await rulesNow()).find(({ rule }) => rule.name === given)?.rule;
  if (found) return found;
  throw new DatalabError('CONFIG_INVALID', `there is no rule '${given}'; datalab alerts rules lists them`);
}

async function newestSample(): Promise<Sourced[]> {
  const result = await withLake((lake) =>
    queryLake(
      lake,
      'SELECT metric, labels, value, detail, probe, "at" FROM meta.metrics WHERE "at" = (SELECT max("at") FROM meta.metrics)',
      { limit: 20_000, signal: lake.signal },
    ),
  );
  return sampleOf(rowsAsObjects(result) as unknown as SampleRow[]);
}

const sampleSchema = z.array(
  z.object({
    metric: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    value: z.number(),
    detail: z.string().default(''),
  }),
);

async function readSample(file: string): Promise<Sourced[]> {
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
