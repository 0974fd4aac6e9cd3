/** The schedules of a configuration, with every policy said (DESIGN sections 1 and law 9). */
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { WORKFLOW_TYPES } from '../../src/contracts/flows.js';
import { declaredSchedules } from '../../src/schedules.js';

const byId = (yaml = '') =>
  new Map(declaredSchedules(parseConfig(yaml, {})).map((schedule) => [schedule.id, schedule]));

it('runs the main job daily at six in the zone of the product, and hourly once somebody resumes it', () => {
  const all = byId();
  expect([...all.keys()]).toEqual([
    'medallion-etl-daily',
    'medallion-etl-hourly',
    'mlops-weekly-retrain',
    'mlops-model-watch',
    'datalab-monitoring-realtime',
    'datalake-maintenance-weekly',
  ]);
  expect(all.get('datalake-maintenance-weekly')).toMatchObject({
    workflowType: 'lakeMaintenance',
    cron: '0 3 * * 6',
    timezone: 'America/Sao_Paulo',
    overlap: 'SKIP',
    catchupWindowSeconds: 43_200,
  });
  expect(all.get('datalab-monitoring-realtime')).toMatchObject({
    workflowType: 'platformMonitoring',
    pool: 'monitoring',
    cron: '*/5 * * * *',
    overlap: 'SKIP',
    catchupWindowSeconds: 60,
  });
  expect(all.get('mlops-weekly-retrain')).toMatchObject({
    workflowType: 'mlopsTraining',
    cron: '0 2 * * 0',
    overlap: 'SKIP',
    catchupWindowSeconds: 43_200,
  });
  expect(all.get('medallion-etl-daily')).toMatchObject({
    workflowType: 'medallionEtl',
    cron: '0 6 * * *',
    timezone: 'America/Sao_Paulo',
    createPaused: false,
  });
  expect(all.get('medallion-etl-hourly')).toMatchObject({
    workflowType: 'medallionEtl',
    cron: '0 * * * *',
    timezone: 'America/Sao_Paulo',
    createPaused: true,
  });
});

it('sets overlap, catch-up and pause-on-failure for each', () => {
  for (const schedule of byId().values()) {
    const etl = schedule.workflowType === 'medallionEtl';
    if (etl) expect(schedule).toMatchObject({ overlap: 'BUFFER_ONE', catchupWindowSeconds: 72_000 });
    expect(typeof schedule.pauseOnFailure).toBe('boolean');
    expect(schedule.note).not.toBe('');
  }
});

it('only starts flows that the workers know', () => {
  for (const { workflowType } of byId().values()) expect(WORKFLOW_TYPES).toContain(workflowType);
});

it('takes dataset, time and zone from the configuration, for each schedule its own', () => {
  const all = byId(
    'schedules: { timezone: UTC, etlDaily: { dataset: a, cron: "30 7 * * 1" }, etlHourly: { dataset: b } }',
  );
  expect(all.get('medallion-etl-daily')).toMatchObject({
    input: { dataset: 'a' },
    cron: '30 7 * * 1',
    timezone: 'UTC',
  });
  expect(all.get('medallion-etl-hourly')).toMatchObject({ input: { dataset: 'b' }, cron: '0 * * * *' });
});

it('leaves the logical time to the schedule', () => {
  for (const { input } of byId().values()) expect(input).not.toHaveProperty('logicalTime');
});
