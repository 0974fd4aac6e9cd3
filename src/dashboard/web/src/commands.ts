/**
 * The command of every button: what “copy as command” copies. A test parses each with the command line itself, so that none
 * is shown that does not exist.
 */

declare const made: unique symbol;
/** A command line that was made here. */
export type Command = string & { readonly [made]: true };

/** A text as one word of a shell. */
const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
type Words = ReadonlyArray<string | number | false | undefined | null>;
const line = (program: string, words: Words): Command =>
  [
    program,
    ...words.flatMap((one) =>
      one === false || one === undefined || one === null ? [] : [word(String(one))],
    ),
  ].join(' ') as Command;
const datalab = (...words: Words): Command => line('datalab', words);
/** An option with its value, where there is one. */
const option = (name: string, value: string | number | undefined | null): Words =>
  value === undefined || value === null || value === '' ? [] : [name, value];

interface Backfill {
  readonly from: string;
  readonly to: string;
  readonly mode: string;
  readonly parallel: number;
}

export const commands = {
  health: () => line('./manage.sh', ['health']),
  startRun: (dataset: string, at: string, rebuild: boolean) =>
    datalab('runs', 'start', dataset, ...option('--logical-time', at), rebuild && '--rebuild'),
  listRuns: () => datalab('runs', 'list'),
  cancelRun: (workflowId: string) => datalab('runs', 'cancel', workflowId),
  runSteps: (workflowId: string) => datalab('runs', 'steps', workflowId),
  retryRun: (workflowId: string, step: number) => datalab('runs', 'retry', workflowId, '--from', step),
  rerun: (workflowId: string) => datalab('runs', 'retry', workflowId, '--fresh'),
  runLog: (workflowId: string, activity = '') =>
    datalab('runs', 'logs', workflowId, ...option('--step', activity)),
  runReport: (workflowId: string) => datalab('runs', 'report', workflowId),
  startFlow: (flow: string, input: unknown) =>
    datalab('flows', 'start', flow, '--input', JSON.stringify(input)),
  listFlows: () => datalab('flows', 'list'),
  trigger: (schedule: string) => datalab('schedules', 'trigger', schedule),
  pause: (schedule: string) => datalab('schedules', 'pause', schedule),
  resume: (schedule: string) => datalab('schedules', 'resume', schedule),
  applySchedules: () => datalab('schedules', 'apply'),
  backfill: (schedule: string, { from, to, mode, parallel }: Backfill, dryRun: boolean) =>
    datalab(
      ...['schedules', 'backfill', schedule, '--from', from],
      ...option('--to', to),
      ...['--mode', mode],
      ...(parallel > 1 ? ['--parallel', parallel] : []),
      dryRun && '--dry-run',
    ),
  listTables: () => datalab('tables', 'list'),
  profileTable: (table: string) => datalab('tables', 'profile', table),
  showTable: (table: string) => datalab('tables', 'show', table),
  tableHistory: (table: string) => datalab('tables', 'history', table),
  query: (sql: string) => datalab('tables', 'query', sql),
  queryCsv: (sql: string) => datalab('tables', 'query', sql, '--csv'),
  diff: (table: string, from: number, to: number) =>
    datalab('tables', 'diff', table, '--from', from, '--to', to),
  optimize: (table: string) => datalab('tables', 'optimize', table),
  showQuarantine: (dataset: string, rule: string) =>
    datalab('quarantine', 'show', dataset, ...option('--rule', rule), '--csv'),
  replay: (dataset: string, rule: string) =>
    datalab('quarantine', 'replay', dataset, ...option('--rule', rule)),
  listModels: () => datalab('models', 'list'),
  showModel: (model: string) => datalab('models', 'show', model),
  train: (model: string, force: boolean) => datalab('models', 'train', model, force && '--force'),
  promote: (model: string, version: string) => datalab('models', 'promote', model, version),
  rollback: (model: string) => datalab('models', 'rollback', model),
  approve: (workflowId: string, approve: boolean, reason: string) =>
    datalab('models', 'approve', workflowId, !approve && '--refuse', ...option('--reason', reason)),
  predict: (model: string, version: string, row: Readonly<Record<string, number | null>>) =>
    datalab('models', 'predict', model, JSON.stringify(row), '--model-version', version),
  compareModels: (model: string, one: string, other: string) =>
    datalab('models', 'compare', model, one, other),
  planMaintenance: () => datalab('maintenance', 'plan'),
  runMaintenance: () => datalab('maintenance', 'run'),
  auditLake: () => datalab('maintenance', 'audit'),
  showMaintenance: () => datalab('maintenance', 'show'),
  backup: (task: string) => datalab('backup', task),
  backupOf: (task: string, backup: string) => datalab('backup', task, '--backup', backup),
  listBackups: () => datalab('backup', 'list'),
  acknowledge: (alert: string) => datalab('alerts', 'ack', alert),
  silence: (rule: string, minutes: number, reason: string) =>
    datalab('alerts', 'silence', rule, '--for', `${minutes}m`, '--reason', reason),
  unsilence: (silence: string) => datalab('alerts', 'unsilence', silence),
  rules: () => datalab('alerts', 'rules'),
  setRule: (rule: string) => datalab('alerts', 'set', rule),
  resetRule: (name: string) => datalab('alerts', 'reset', name),
  addUser: (name: string, role: string) => datalab('dashboard', 'users', 'add', name, '--role', role),
  removeUser: (name: string) => datalab('dashboard', 'users', 'remove', name),
  addToken: (name: string, role: string) => datalab('dashboard', 'tokens', 'add', name, '--role', role),
  removeToken: (name: string) => datalab('dashboard', 'tokens', 'remove', name),
  audit: () => datalab('dashboard', 'audit'),
} as const;
