/** OpenLineage of real runs: what the commits tell, relayed like every event. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LineageEvent } from '../../src/contracts/lineage.js';
import { runEventSchema } from '../support/open-lineage.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

const relay = () => lab.do('relayEvents', lab.newRun());
const told = (): LineageEvent[] => lab.inbox.lineage.map(({ event }) => event);
const short = ({ eventType, job, inputs, outputs }: LineageEvent): string =>
  `${eventType} ${job.name}: ${inputs.map(({ name }) => name).join()} → ${outputs.map(({ name }) => name).join()}`;

it('tells start and end of a run, and of the job behind every version', async () => {
  lab.source('a.csv', '1,ann,10', '2,bob,20');
  const { run } = await lab.run();
  await lab.do('recordRun', reportOf(run));
  await relay();
  expect(new Set(lab.inbox.lineage.map(({ topic }) => topic))).toEqual(new Set(['datalab-lineage']));
  expect(told().map(short).sort()).toEqual(
    [
      'COMPLETE medallionEtl.sales.bronze.sales: in/*.csv → lake/bronze/sales',
      'COMPLETE medallionEtl.sales.gold.sizes: lake/silver/sales → lake/gold/sizes',
      'COMPLETE medallionEtl.sales.gold.totals: lake/silver/sales → lake/gold/totals',
      'COMPLETE medallionEtl.sales.silver.sales: lake/bronze/sales → lake/silver/sales',
      'COMPLETE medallionEtl.sales: in/*.csv → lake/bronze/sales',
      'START medallionEtl.sales.bronze.sales: in/*.csv → ',
      'START medallionEtl.sales.gold.sizes: lake/silver/sales → ',
      'START medallionEtl.sales.gold.totals: lake/silver/sales → ',
      'START medallionEtl.sales.silver.sales: lake/bronze/sales → ',
      'START medallionEtl.sales: in/*.csv → ',
    ].map((line) => line.replaceAll('lake/', placeOfLake())),
  );
  for (const event of told()) expect(runEventSchema.safeParse(event).error?.issues ?? []).toEqual([]);
  // To hold against the specification itself: DATALAB_LINEAGE_FILE=<file> npx vitest run test/activities/lineage
  const file = process.env['DATALAB_LINEAGE_FILE'];
  if (file) writeFileSync(file, JSON.stringify(told(), null, 1));
});

/** Names in a lake in memory start with its path. */
function placeOfLake(): string {
  const [, path = ''] = /^memory:\/\/[^/]*\/?(.*)$/.exec(lab.deps.lake.uri) ?? [];
  return path === '' ? '' : `${path}/`;
}

it('carries columns, versions, sizes, checks and the parent run', async () => {
  lab.source('a.csv', '1,ann,10', '2,bob,20');
  const { run } = await lab.run();
  await lab.do('recordRun', reportOf(run));
  await relay();
  const end = (job: string): LineageEvent | undefined =>
    told().find((event) => event.eventType === 'COMPLETE' && event.job.name === `medallionEtl.sales${job}`);
  const bronze = end('.bronze.sales');
  expect(bronze?.outputs[0]).toMatchObject({
    facets: {
      version: { datasetVersion: '0' },
      lifecycleStateChange: { lifecycleStateChange: 'CREATE' },
      symlinks: { identifiers: [{ name: 'bronze.sales', type: 'TABLE' }] },
      columnLineage: {
        fields: { id: { inputFields: [{ namespace: 'file', name: 'in/*.csv', field: 'id' }] } },
      },
    },
    outputFacets: { outputStatistics: { rowCount: 2, fileCount: 1 } },
  });
  const schema = bronze?.outputs[0]?.facets?.['schema']?.['fields'];
  expect(schema).toEqual(
    expect.arrayContaining([
      { name: 'amount', type: 'double' },
      { name: '_source_line', type: 'long' },
    ]),
  );
  const whole = end('');
  expect(bronze?.run.facets['parent']).toMatchObject({
    run: { runId: whole?.run.runId },
    job: { name: 'medallionEtl.sales' },
  });
  expect(whole?.inputs[0]?.inputFacets?.['dataQualityAssertions']).toMatchObject({
    assertions: [{ name: 'row_count', success: false, severity: 'warn', expected: '1000', actual: '4' }],
  });
});

it.each([
  ['failed', 'FAIL'],
  ['blocked', 'FAIL'],
  ['cancelled', 'ABORT'],
  ['empty', 'COMPLETE'],
] as const)('ends a run that was %s with %s', async (outcome, eventType) => {
  const error = outcome === 'empty' ? null : { code: 'STORE_REFUSED', message: 'no' };
  await lab.do('recordRun', reportOf(lab.newRun(), { outcome, error, verdict: null }));
  await relay();
  const events = told();
  expect(events.map((event) => event.eventType)).toEqual(['START', eventType]);
  for (const event of events) expect(runEventSchema.safeParse(event).error?.issues ?? []).toEqual([]);
  expect(events[1]?.run.facets['errorMessage']?.['message']).toBe(error ? 'STORE_REFUSED: no' : undefined);
});

it('is the same to the byte when it is told again', async () => {
  lab.source('a.csv', '1,ann,10');
  const { run } = await lab.run();
  await lab.do('recordRun', reportOf(run));
  // The broker took all of it, and the relay died before it could note so.
  const { sendLineage } = lab.inbox;
  lab.inbox.sendLineage = async (topic, events) => {
    await sendLineage.call(lab.inbox, topic, events);
    throw new Error('killed');
  };
  await expect(relay()).rejects.toThrow('killed');
  lab.inbox.sendLineage = sendLineage;
  await relay();
  const all = told().map((event) => JSON.stringify(event));
  expect(all).toHaveLength(2 * new Set(all).size);
  expect(new Set(told().map((event) => event.run.runId)).size).toBe(5);
});

it('keeps lineage pending with the events while the broker is away', async () => {
  lab.source('a.csv', '1,ann,10');
  const { run } = await lab.run();
  await lab.do('recordRun', reportOf(run));
  lab.inbox.down();
  expect(await relay()).toMatchObject({ sent: 0, pending: 5 });
  expect(told()).toEqual([]);
  lab.inbox.up();
  await relay();
  expect(told()).toHaveLength(10);
});
