/** The rules that hold unless the configuration says otherwise; `monitoring.rules` replaces them by name. */
import type { AlertRule, AlertSeverity, Operator } from '../contracts/monitoring.js';

const MINUTE = 60;
const HOUR = 3600;

type Extras = Partial<Pick<AlertRule, 'forSeconds' | 'where' | 'unless'>>;

function rule(
  name: string,
  severity: AlertSeverity,
  [metric, operator, value]: readonly [string, Operator, number],
  summary: string,
  extras: Extras = {},
): AlertRule {
  return {
    ...{ name, metric, condition: { operator, value }, severity, summary },
    ...{ forSeconds: 0, where: {}, labels: {}, unless: [] },
    ...extras,
  };
}

export const DEFAULT_RULES: readonly AlertRule[] = Object.freeze([
  rule('store_down', 'critical', ['service.up', '==', 0], 'the object store does not answer: {detail}', {
    where: { service: 'store' },
  }),
  rule('service_down', 'error', ['service.up', '==', 0], '{service} does not answer: {detail}', {
    where: { service: '!store' },
  }),
  rule(
    'service_slow',
    'warning',
    ['service.response_ms', '>', 5000],
    '{service} takes {value} ms to answer',
    {
      forSeconds: 10 * MINUTE,
    },
  ),
  rule('probe_failed', 'error', ['probe.up', '==', 0], 'the {probe} probe failed: {detail}', {
    unless: ['store_down'],
  }),
  rule('pool_idle', 'critical', ['pool.pollers', '==', 0], 'no worker polls the pool {pool}'),
  rule(
    'pool_behind',
    'warning',
    ['pool.backlog_age_seconds', '>', 300],
    'work waits {value} s for the pool {pool}',
    {
      unless: ['pool_idle'],
    },
  ),
  rule(
    'pool_slow_start',
    'warning',
    ['pool.schedule_to_start_seconds', '>', 60],
    'tasks wait {value} s until a worker of {pool} takes them: {detail}',
    { forSeconds: 10 * MINUTE, unless: ['pool_idle', 'pool_behind'] },
  ),
  rule(
    'pool_unmeasured',
    'warning',
    ['pool.measured', '==', 0],
    'the pool {pool} is not described: {detail}',
    {
      forSeconds: 10 * MINUTE,
    },
  ),
  rule('topic_missing', 'error', ['topic.present', '==', 0], 'the Kafka topic {topic} does not exist'),
  rule(
    'kafka_controller_missing',
    'critical',
    ['kafka.controller', '==', 0],
    'the Kafka cluster has no controller',
  ),
  rule(
    'partitions_offline',
    'critical',
    ['topic.offline_partitions', '>', 0],
    '{value} partitions of {topic} are offline',
  ),
  rule(
    'partitions_under_replicated',
    'warning',
    ['topic.under_replicated', '>', 0],
    '{value} partitions of {topic} lack replicas',
    {
      forSeconds: 10 * MINUTE,
      unless: ['partitions_offline'],
    },
  ),
  rule(
    'consumer_stalled',
    'error',
    ['consumer.lag_growing_samples', '>=', 3],
    '{group} falls behind on {topic}, {value} samples in a row: {detail}',
  ),
  rule(
    'consumer_late',
    'warning',
    ['consumer.lag_seconds', '>', HOUR],
    '{group} is {value} s behind on {topic}',
    {
      unless: ['consumer_stalled'],
    },
  ),
  rule('table_unreadable', 'critical', ['table.readable', '==', 0], '{table} cannot be read: {detail}'),
  rule(
    'dataset_stale',
    'warning',
    ['dataset.overdue_seconds', '>', 0],
    'the newest data of {dataset} is {detail}',
  ),
  rule(
    'dataset_invalid',
    'error',
    ['dataset.valid', '==', 0],
    'the definition of {dataset} cannot be used: {detail}',
  ),
  rule(
    'table_log_long',
    'warning',
    ['table.commits_since_checkpoint', '>', 100],
    '{table} has {value} commits since its checkpoint',
  ),
  rule(
    'quarantine_grows',
    'warning',
    ['quarantine.new_rows', '>', 1000],
    '{value} rows of {table} were refused since the last sample',
  ),
  rule(
    'model_degraded',
    'warning',
    ['model.degradation', '>', 0.25],
    '{model} version {version} is worse in use than it was at training: {detail}',
  ),
  rule(
    'model_drift',
    'warning',
    ['model.prediction_drift', '>', 0.25],
    'what {model} version {version} predicts has moved away from its holdout (PSI {value})',
    { unless: ['model_degraded'] },
  ),
  rule(
    'model_unmeasurable',
    'warning',
    ['model.measurable', '==', 0],
    '{model} cannot be held against the truth: {detail}',
  ),
  rule(
    'relay_behind',
    'warning',
    ['relay.lag_seconds', '>', 15 * MINUTE],
    'events are not sent for {value} s: {detail}',
    { unless: ['store_down'] },
  ),
  // What a channel refused is told by the alert manager itself (channel_down), and is late when it comes.
  rule(
    'channel_slow',
    'warning',
    ['channel.delivery_lag_seconds', '>', 5 * MINUTE],
    'alerts took {value} s to go out over {channel}',
    { where: { attempt: 'first' } },
  ),
  rule(
    'schedule_missing',
    'error',
    ['schedule.present', '==', 0],
    'the schedule {schedule} is not in Temporal: run datalab schedules apply',
  ),
  rule(
    'schedule_paused',
    'warning',
    ['schedule.paused', '==', 1],
    'the schedule {schedule} is paused: {detail}',
    {
      unless: ['circuit_open'],
    },
  ),
  rule(
    'schedule_changed',
    'warning',
    ['schedule.changed', '>', 0],
    '{schedule} is not as the configuration declares it ({detail}); to put it right: datalab schedules apply',
  ),
  rule(
    'circuit_open',
    'error',
    ['schedule.circuit_open', '==', 1],
    '{schedule} was paused after repeated failures; when the cause is gone: datalab schedules resume {schedule}',
  ),
  // A time that passed during a pause is known to be left out; one that no cycle saw pass counts as lost.
  rule(
    'run_missing',
    'error',
    ['schedule.never_started', '>', 0],
    '{value} expected runs of {schedule} never started ({detail}): datalab schedules gaps {schedule}',
  ),
  rule('run_late', 'warning', ['schedule.late', '>', 0], '{schedule}: {detail}'),
  rule(
    'runs_failing',
    'error',
    ['schedule.consecutive_failures', '>=', 1],
    'the last {value} runs of {schedule} failed',
  ),
  rule(
    'run_partial',
    'warning',
    ['schedule.consecutive_partial', '>=', 1],
    'the last {value} runs of {schedule} did only a part',
  ),
  rule(
    'run_slow',
    'warning',
    ['schedule.budget_used', '>', 1],
    'a run of {schedule} is over its budget: {detail}',
  ),
  rule(
    'run_slower',
    'warning',
    ['schedule.times_usual', '>', 4],
    'a run of {schedule} takes much longer than usual: {detail}',
    { unless: ['run_slow'] },
  ),
]);
