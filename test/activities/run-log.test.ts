/** The logs of steps: kept with the run, for good and for bad, bounded, and without secrets. */
import { ApplicationFailure } from '@temporalio/activity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MockActivityEnvironment } from '@temporalio/testing';
import { RunLogs } from '../../src/activities/run-log.js';
import { renderLogLine } from '../../src/cli/run-files.js';
import type { LogLine } from '../../src/contracts/run-log.js';
import { readRunLog, RunLogPages, type LogFilter } from '../../src/lake/run-log.js';
import { parseConfig } from '../../src/config/config.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import type { ActivityDeps } from '../../src/activities/deps.js';
import { Lab } from './lab.js';

describe('the steps of a run', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = new Lab();
  });
  afterEach(() => lab.close());

  it('keep what they did, each attempt by itself', async () => {
    lab.source('a.csv', '1,ann,10', '2,bob,-1');
    const { run } = await lab.run();
    const lines = await readRunLog(lab.deps.lake, run.runId);
    const said = lines
      .filter(({ message }) => message !== 'started')
      .map(({ activity, message }) => `${activity}: ${message}`);
    expect(said.slice(0, 4)).toEqual([
      'discoverSources: discover: 1 listed, 1 not seen before',
      'writeBronze: write bronze.sales: 1 source(s), 2 rows read',
      'auditBronze: audit bronze.sales: 1 checks, 0 failed, score 1.000',
      'publish: publish bronze.sales: version 0',
    ]);
    expect(lines.every(({ level, attempt }) => level === 'info' && attempt === 1)).toBe(true);
    expect(
      lines.find(({ activity, fields }) => activity === 'writeBronze' && fields?.['rows'] === 2),
    ).toBeDefined();
  });

  it('keep warnings, and the error of an attempt that failed, with its remedy', async () => {
    lab.edit('dataset.yaml', lab.datasetText().replace('min: 1 ', 'min: 5 '));
    lab.source('a.csv', '1,ann,10');
    const run = lab.newRun();
    await lab.do('auditBronze', run, await lab.stageBronze(run));
    await expect(lab.do('publish', run, 'no-such-manifest')).rejects.toBeInstanceOf(ApplicationFailure);
    const lines = await readRunLog(lab.deps.lake, run.runId);
    expect(lines.find(({ level }) => level === 'warn')?.message).toContain(
      'check failed: 1 rows (0 published, 1 new)',
    );
    expect(lines.at(-1)).toMatchObject({
      ...{ level: 'error', activity: 'publish' },
      fields: {
        code: 'STAGING_MISSING',
        retry: false,
        remedy: expect.stringContaining('_staging/') as string,
      },
    });
  });
});

describe('RunLogs', () => {
  const config = parseConfig('', { AWS_SECRET_ACCESS_KEY: 'hush-hush', TEMPORAL_API_KEY: 'key-1234' });
  const told: string[] = [];
  const newLogs = (lake: ActivityDeps['lake']): RunLogs =>
    new RunLogs({ config, lake, log: (_fields, message) => void told.push(message) });
  const inActivity = <T>(body: () => Promise<T>): Promise<T> =>
    new MockActivityEnvironment({}).run(body) as Promise<T>;

  it('takes secrets out, wherever they are', async () => {
    const lake = new MemoryObjectStore('lake');
    const logs = newLogs(lake);
    await inActivity(() =>
      logs.keep('step', 'run-1', async () => {
        logs.log(
          { url: 'https://me:pass@host/x', nested: { apiKey: 'anything' }, list: ['a hush-hush b'] },
          'hush-hush',
        );
        logs.log({}, 'uses key-1234 now');
        return Promise.resolve();
      }),
    );
    const text = JSON.stringify(await readRunLog(lake, 'run-1'));
    for (const secret of ['hush-hush', 'key-1234', 'pass', 'anything']) expect(text).not.toContain(secret);
    expect(text).toContain('https://***@host/x');
  });

  it('keeps the first and the last of very many lines, and cuts long ones', async () => {
    const lake = new MemoryObjectStore('lake');
    const logs = newLogs(lake);
    await inActivity(() =>
      logs.keep('step', 'run-1', async () => {
        for (let n = 0; n < 5000; n++)
          logs.log({ n, long: 'x'.repeat(5000) }, `line ${n} ${'y'.repeat(5000)}`);
        return Promise.resolve();
      }),
    );
    let bytes = 0;
    for await (const { sizeBytes } of lake.list('_runs/')) bytes += sizeBytes;
    expect(bytes).toBeLessThan(2_000_000);
    const lines = await readRunLog(lake, 'run-1');
    expect(lines).toHaveLength(401);
    expect(lines[0]?.message).toBe('started');
    expect(lines.find(({ message }) => message === '4601 lines are left out here')).toBeDefined();
    expect(lines.some(({ message }) => message.startsWith('line 4999'))).toBe(true);
  });

  it('are handed out by page, of one activity or of what was searched, with what came since', async () => {
    const lake = new MemoryObjectStore('lake');
    const logs = newLogs(lake);
    const say = (activity: string, ...messages: string[]): Promise<unknown> =>
      inActivity(() =>
        logs.keep(activity, 'run-1', async () => {
          for (const message of messages) logs.log({ table: 'silver.sales' }, message);
          return Promise.resolve();
        }),
      );
    await say('read', 'Alpha', 'beta');
    const pages = new RunLogPages(lake);
    const page = (filter: LogFilter, offset = 0, limit = 10) =>
      pages.page('run-1', filter, { offset, limit });
    const told = ({ lines }: { lines: readonly LogLine[] }) => lines.map(({ message }) => message);
    expect(await page({}, 1, 1)).toMatchObject({ total: 3, activities: ['read'], leftOut: 0 });
    expect(told(await page({}, 1, 1))).toEqual(['Alpha']);
    await say('write', 'alpha again');
    const gets: string[] = [];
    const get = lake.get.bind(lake);
    lake.get = (key, ...rest) => (gets.push(key), get(key, ...rest));
    expect(told(await page({ search: 'ALPHA' }))).toEqual(['Alpha', 'alpha again']);
    expect(told(await page({ activity: 'write' }))).toEqual(['started', 'alpha again']);
    expect((await page({ search: 'silver.sales', activity: 'read' })).total).toBe(2);
    expect((await page({}, 99)).lines).toEqual([]);
    expect((await page({ level: 'error' })).total).toBe(0);
    expect((await page({ level: 'info' })).total).toBe(5);
    // What was read before is not read again.
    expect(gets).toHaveLength(1);
  });

  it('never fails a step for its log', async () => {
    const lake = new MemoryObjectStore('lake');
    lake.put = () => Promise.reject(new Error('the disk is full'));
    const logs = newLogs(lake);
    expect(await inActivity(() => logs.keep('step', 'run-1', () => Promise.resolve(7)))).toBe(7);
    expect(told.at(-1)).toContain('its log was not kept: the disk is full');
  });

  it('says one line to a terminal in one line', () => {
    const line = renderLogLine({
      ...{ time: 't', level: 'warn', activity: 'publish', attempt: 2 },
      message: 'a\u001b[31mb\nc',
      fields: { rows: 3, detail: 'two words' },
    });
    expect(line).toContain('t  warn   publish (attempt 2): a');
    expect(line).toContain('rows=3 detail="two words"');
    expect(line).not.toContain('\u001b');
  });
});
