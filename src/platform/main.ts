/** `node dist/platform/main.js <command>`: what `manage.sh` calls. Exit codes: 0 done, 1 not, 2 wrong usage. */
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import { DatalabError } from '../contracts/errors.js';
import { cleanState, ownEntries } from './clean.js';
import { healthPicture } from './health.js';
import { readLeftOut } from './left-out.js';
import { renderPicture } from './picture.js';
import { followLog, lastLines, readLog } from './logs.js';
import { livingRecord } from './record.js';
import { SERVICE_NAMES, type ServiceName } from './services/definition.js';
import { adminLinkFile } from './services/dashboard.js';
import { SERVICES } from './services/index.js';
import { HOST, readSettings, type Settings } from './settings.js';
import { startPlatform, type StartOutcome } from './start.js';
import { stopPlatform } from './stop.js';
import { renderTable } from './table.js';

const settings = (): Settings => readSettings(process.env);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function serviceNames(text: string): ServiceName[] {
  return text.split(',').map((name) => {
    if ((SERVICE_NAMES as readonly string[]).includes(name)) return name as ServiceName;
    throw new UsageError(`no service is called ${name}; there are ${SERVICE_NAMES.join(', ')}`);
  });
}

class UsageError extends Error {}

interface Selection {
  readonly only?: string;
  readonly without?: string;
  readonly json?: boolean;
}

async function start(options: Selection): Promise<void> {
  const { outcomes } = await startPlatform(process.env, {
    ...(options.only ? { only: serviceNames(options.only) } : {}),
    ...(options.without ? { without: serviceNames(options.without) } : {}),
    ...(options.json ? {} : { onOutcome: (outcome: StartOutcome) => print(startLine(outcome)) }),
  });
  if (options.json) printJson(outcomes);
  if (outcomes.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
}

function startLine({ title, outcome, ms, detail }: StartOutcome): string {
  if (outcome === 'failed') return `failed      ${detail}`;
  if (outcome === 'left out') return `left out    ${title}: ${detail}`;
  return `${outcome.padEnd(12)}${title}${detail ? ` on ${detail}` : ''} (${seconds(ms)})`;
}

async function stop(options: Selection): Promise<void> {
  const outcomes = await stopPlatform(settings(), options.only ? serviceNames(options.only) : SERVICE_NAMES);
  if (options.json) return printJson(outcomes);
  const ended = outcomes.filter(({ outcome }) => outcome !== 'gone');
  for (const { title, outcome } of ended) print(`${outcome.padEnd(12)}${title}`);
  if (ended.length === 0) print('nothing was running');
}

function status(options: Selection): void {
  const current = settings();
  const rows = SERVICE_NAMES.map((service) => {
    const record = livingRecord(current.stateDir, service);
    return {
      service,
      running: record !== undefined,
      pid: record?.pid ?? null,
      since: record?.startedAt ?? null,
    };
  });
  if (options.json) return printJson(rows);
  print(
    renderTable([
      ['service', 'state', 'pid', 'since'],
      ...rows.map((row) => [
        SERVICES[row.service].title,
        row.running ? 'running' : 'stopped',
        String(row.pid ?? ''),
        row.since ?? '',
      ]),
    ]),
  );
}

async function health(options: Selection): Promise<void> {
  const picture = await healthPicture(settings());
  if (!picture.healthy) process.exitCode = 1;
  if (options.json) return printJson(picture);
  print(renderPicture(picture, { colour: process.stdout.isTTY && !process.env['NO_COLOR'] }));
}

async function logs(name: string | undefined, options: { lines: string; follow?: boolean }): Promise<void> {
  const { stateDir } = settings();
  const chosen = name ? serviceNames(name) : SERVICE_NAMES;
  const count = Number(options.lines);
  if (!Number.isInteger(count) || count < 0) throw new UsageError('--lines takes a whole number');
  const prefix = (service: string): string => (chosen.length > 1 ? `${service.padEnd(13)}| ` : '');
  const show = (service: ServiceName, lines: readonly string[]): void => {
    for (const line of lines) if (line !== '') print(prefix(service) + line);
  };
  if (count > 0) for (const service of chosen) show(service, lastLines(readLog(stateDir, service, 0), count));
  if (!options.follow) return;
  const stopped = new AbortController();
  process.once('SIGINT', () => stopped.abort());
  await Promise.all(
    chosen.map((service) =>
      followLog(
        stateDir,
        service,
        (text) => show(service, text.replace(/\n$/, '').split('\n')),
        stopped.signal,
      ),
    ),
  );
}

/** While the dashboard has no user yet: the link that makes the first one. */
function tellAdminLink(): void {
  const file = adminLinkFile(settings());
  if (existsSync(file))
    print(`\nFirst administrator of the dashboard, once within a day: ${readFileSync(file, 'utf8').trim()}`);
}

function urls(options: Selection): void {
  const { ports, env, stateDir } = settings();
  const leftOut = readLeftOut(stateDir);
  const unlessOff = (service: ServiceName, address: string): string =>
    leftOut[service] === undefined ? address : `off: ${leftOut[service]}`;
  const addresses = {
    Dashboard: `http://${HOST}:${ports.dashboard}`,
    'Temporal Web UI': `http://${HOST}:${ports.temporalUi}`,
    'Temporal (gRPC)': `${HOST}:${ports.temporal}`,
    'S3 endpoint': unlessOff('s3', `http://${HOST}:${ports.s3}`),
    Kafka: unlessOff('kafka', `${HOST}:${ports.kafka}`),
    MLflow: unlessOff('mlflow', `http://${HOST}:${ports.mlflow}`),
    'Model server': unlessOff('model-server', `http://${HOST}:${ports.modelServer}`),
    Lake: env['DATALAB_LAKE_URI'] ?? 'not made yet: ./manage.sh start',
  };
  if (options.json) return printJson(addresses);
  print(renderTable(Object.entries(addresses)));
  tellAdminLink();
}

function credentials(options: Selection): void {
  const { env } = settings();
  const secrets = {
    AWS_ACCESS_KEY_ID: env['AWS_ACCESS_KEY_ID'],
    AWS_SECRET_ACCESS_KEY: env['AWS_SECRET_ACCESS_KEY'],
  };
  if (!secrets.AWS_ACCESS_KEY_ID)
    throw new DatalabError('STATE_INVALID', 'there are no credentials yet: `./manage.sh start` makes them');
  if (options.json) return printJson(secrets);
  for (const [key, value] of Object.entries(secrets)) print(`${key}=${value}`);
}

async function clean(options: { yes?: boolean }): Promise<void> {
  const current = settings();
  const entries = ownEntries(current);
  if (entries.length === 0) return print(`nothing to delete in ${current.stateDir}`);
  if (!options.yes && !(await confirmed(`Delete all data, logs and secrets in ${current.stateDir}?`))) {
    process.exitCode = 1;
    return print('nothing was deleted');
  }
  await stopPlatform(current);
  for (const entry of cleanState(current)) print(`deleted     ${entry}`);
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError('clean asks before it deletes: run it in a terminal, or with --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

function buildProgram(): Command {
  const program = new Command('./manage.sh').description('Runs the DataLab platform on this machine.');
  const json = (): Option => new Option('--json', 'print JSON');
  const only = (): Option => new Option('--only <services>', `some of ${SERVICE_NAMES.join(',')}`);
  const without = new Option('--without <services>', 'all but these');
  program
    .command('start')
    .description('start what does not run, and wait until it answers')
    .addOption(only())
    .addOption(without)
    .addOption(json())
    .action(start);
  program
    .command('stop')
    .description('stop the worker, then the services')
    .addOption(only())
    .addOption(json())
    .action(stop);
  program
    .command('restart')
    .description('stop, then start')
    .addOption(only())
    .addOption(without)
    .addOption(json())
    .action(async (options: Selection) => {
      await stop({ ...options, json: false });
      await start(options);
    });
  program.command('status').description('which processes run').addOption(json()).action(status);
  program
    .command('health')
    .description(
      'ask every service in its own protocol, show what monitoring found last; exit code 1 when a required one is down',
    )
    .addOption(json())
    .action(health);
  program
    .command('logs')
    .description('show the logs of one service or of all')
    .argument('[service]')
    .option('-n, --lines <count>', 'how many lines of each', '50')
    .option('-f, --follow', 'go on until Ctrl-C')
    .action(logs);
  program.command('urls').description('where to point a browser or a client').addOption(json()).action(urls);
  program
    .command('credentials')
    .description('the keys of the S3 gateway')
    .addOption(json())
    .action(credentials);
  program
    .command('clean')
    .description('stop everything and delete its data')
    .option('--yes', 'do not ask')
    .action(clean);
  return program;
}

function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (error instanceof DatalabError) {
    process.stderr.write(`${error.code}: ${error.message}\n  ${error.remedy}\n`);
    return 1;
  }
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    process.stderr.write(
      'DISK_FULL: the disk is full: free space, or set DATALAB_STATE_DIR to another disk\n',
    );
    return 1;
  }
  throw error;
}

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
