/** “Copy as command”: every command that the page shows is one that the command line takes, with hostile names too. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/dashboard/web/src/commands.js';
import { commandPaths, parseCommand, wordsOf } from '../support/command-line.js';

const HOSTILE = `it's a "name" $(rm -rf /); --all`;
const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-31T00:00:00.000Z', mode: 'all', parallel: 3 };

/** One call of each, or several where it depends on what it is given. */
const CALLS: {
  readonly [Name in keyof typeof commands]: ReadonlyArray<Parameters<(typeof commands)[Name]>>;
} = {
  health: [[]],
  startRun: [
    ['stocks', '', false],
    [HOSTILE, '2026-01-31T06:00:00Z', true],
  ],
  listRuns: [[]],
  cancelRun: [[HOSTILE]],
  runSteps: [['medallion-etl-stocks-1']],
  retryRun: [['medallion-etl-stocks-1', 23]],
  rerun: [[HOSTILE]],
  runLog: [['medallion-etl-stocks-1'], ['medallion-etl-stocks-1', 'writeBronze']],
  runReport: [['medallion-etl-stocks-1']],
  startFlow: [['lakeMaintenance', { dryRun: true, tables: [HOSTILE] }]],
  listFlows: [[]],
  trigger: [['medallion-etl-daily']],
  pause: [[HOSTILE]],
  resume: [['medallion-etl-daily']],
  applySchedules: [[]],
  backfill: [
    ['medallion-etl-daily', range, true],
    ['medallion-etl-daily', { ...range, to: '', mode: 'missing', parallel: 1 }, false],
  ],
  listTables: [[]],
  profileTable: [['silver.stocks']],
  showTable: [['silver.stocks']],
  tableHistory: [['silver.stocks']],
  query: [[`SELECT '${HOSTILE}' AS x\nFROM silver.stocks`]],
  queryCsv: [['SELECT 1']],
  diff: [['silver.stocks', 0, 4]],
  optimize: [['silver.stocks']],
  showQuarantine: [
    ['stocks', ''],
    ['stocks', HOSTILE],
  ],
  replay: [
    ['stocks', ''],
    ['stocks', HOSTILE],
  ],
  listModels: [[]],
  showModel: [['next_day_volatility']],
  train: [
    ['next_day_volatility', false],
    ['next_day_volatility', true],
  ],
  promote: [['next_day_volatility', '3']],
  rollback: [['next_day_volatility']],
  approve: [
    ['mlops-training-x', true, ''],
    ['mlops-training-x', false, HOSTILE],
  ],
  predict: [['next_day_volatility', 'champion', { log_return: -0.01, volume: null }]],
  compareModels: [['next_day_volatility', '3', 'champion']],
  planMaintenance: [[]],
  runMaintenance: [[]],
  auditLake: [[]],
  showMaintenance: [[]],
  backup: [['create'], ['verify'], ['drill']],
  backupOf: [['verify', '2026-01-01T000000Z-1']],
  listBackups: [[]],
  acknowledge: [[HOSTILE]],
  silence: [['table_*', 60, HOSTILE]],
  unsilence: [['silence-1']],
  rules: [[]],
  setRule: [[JSON.stringify({ name: 'x', summary: HOSTILE })]],
  resetRule: [['dataset_stale']],
  addUser: [['ana', 'operator']],
  removeUser: [['ana']],
  addToken: [['ci', 'viewer']],
  removeToken: [['ci']],
  audit: [[]],
};

const lines = Object.entries(CALLS).flatMap(([name, calls]) =>
  calls.map((args) => {
    const make = commands[name as keyof typeof commands] as (...args: unknown[]) => string;
    return [name, make(...(args as unknown[]))] as const;
  }),
);

describe('the commands that the page shows', () => {
  it.each(lines)('%s: %s', async (_name, line) => {
    const [program, ...words] = wordsOf(line);
    if (program === './manage.sh') {
      const usage = readFileSync(fileURLToPath(new URL('../../manage.sh', import.meta.url)), 'utf8');
      expect(usage).toMatch(new RegExp(`^  ${words[0]} `, 'm'));
      return;
    }
    expect(program).toBe('datalab');
    await expect(parseCommand(words)).resolves.toBeUndefined();
  });

  it('keep a hostile name one word', () => {
    expect(wordsOf(commands.cancelRun(HOSTILE))).toEqual(['datalab', 'runs', 'cancel', HOSTILE]);
  });

  it('are refused where the command line has no such thing: the test can fail', async () => {
    await expect(parseCommand(['runs', 'begin', 'stocks'])).rejects.toThrow();
    await expect(parseCommand(['schedules', 'backfill', 'x', '--mode', 'some'])).rejects.toThrow();
  });

  it('are made in one place: no page writes one by hand', () => {
    const web = fileURLToPath(new URL('../../src/dashboard/web/src', import.meta.url));
    const pages = ['pages', 'ui'].flatMap((folder) =>
      readdirSync(path.join(web, folder)).map((file) => path.join(web, folder, file)),
    );
    expect(pages.length).toBeGreaterThan(25);
    for (const file of pages) expect(readFileSync(file, 'utf8'), file).not.toMatch(/[`'"]datalab [a-z]/);
  });

  it('finds the commands of the tree', () => {
    expect(commandPaths()).toContain('schedules backfill');
  });
});
