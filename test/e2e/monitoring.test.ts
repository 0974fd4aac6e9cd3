/**
 * Monitoring on services that are really stopped: a platform of this test's own, a compiled worker, the command line.
 * Each trouble opens exactly one alert within one cycle, and resolves when it is over.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertOverview } from '../../src/contracts/alerts.js';
import type { MonitoringSummary } from '../../src/contracts/monitoring.js';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { readSettings } from '../../src/platform/settings.js';
import type { ServiceName } from '../../src/platform/services/definition.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { eventsOn } from '../support/topic.js';
import { datalab, WorkerProcess, type Environment } from '../support/worker-process.js';

const LAKE = 's3://datalab/monitoring';

describe('monitoring', () => {
  let folder: string;
  let ephemeral: Environment;
  let env: Environment;
  let worker: WorkerProcess;
  let sink: Server;
  const posted: Array<{ change: string; title: string }> = [];
  const beats: unknown[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'datalab-monitoring-'));
    sink = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.url === '/beat') beats.push(JSON.parse(body));
        else posted.push(JSON.parse(body) as (typeof posted)[number]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    const file = path.join(folder, 'datalab.yaml');
    await writeFile(
      file,
      `monitoring: { channels: [{ type: webhook, name: sink, url: '${address}/alerts' }] }\nmlflow: { enabled: false }\ndashboard: { watched: false }\n`,
    );
    ephemeral = await createEphemeral();
    await start('s3', 'kafka', 'temporal');
    env = {
      ...(readSettings({ ...process.env, ...ephemeral }).env as Environment),
      ...ephemeral,
      DATALAB_CONFIG: file,
      DATALAB_LAKE_URI: LAKE,
      DATALAB_HEARTBEAT_URL: `${address}/beat`,
      DATALAB_CACHE_DIRECTORY: path.join(folder, 'cache'),
      DATALAB_SCRATCH_DIRECTORY: path.join(folder, 'scratch'),
    };
    worker = await WorkerProcess.start(env);
    expect((await datalab(['schedules', 'apply'], env)).code).toBe(0);
    // The cycles of this test are started by hand, so that each of them comes after what was broken.
    expect((await datalab(['schedules', 'pause', 'datalab-monitoring-realtime'], env)).code).toBe(0);
  }, 180_000);
  afterAll(async () => {
    await worker?.stop();
    await destroyEphemeral(ephemeral ?? {});
    sink?.close();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const start = async (...only: ServiceName[]): Promise<void> => {
    const { outcomes } = await startPlatform({ ...process.env, ...ephemeral }, { only });
    expect(outcomes.filter(({ outcome }) => outcome === 'failed' || outcome === 'left out')).toEqual([]);
  };
  const stop = (service: ServiceName) =>
    stopPlatform(readSettings({ ...process.env, ...ephemeral }), [service]);

  async function cycle(): Promise<MonitoringSummary> {
    const { stdout, stderr } = await datalab(['monitoring', 'run', '--json'], env);
    expect(stderr).toBe('');
    return JSON.parse(stdout) as MonitoringSummary;
  }

  /** Open alerts, once the manager has taken the cycle in and told of it. */
  async function openAfter(summary: MonitoringSummary): Promise<string[]> {
    for (;;) {
      const { stdout } = await datalab(['alerts', 'list', '--json'], env);
      const { open, lastReportAt } = JSON.parse(stdout) as AlertOverview;
      if (lastReportAt >= Date.parse(summary.cycle.at))
        return open.map(({ fingerprint }) => fingerprint).sort();
    }
  }
  const openNow = async (): Promise<string[]> => openAfter(await cycle());

  it('finds nothing wrong with a healthy platform, and keeps the sample', async () => {
    const summary = await cycle();
    expect(summary.findings).toEqual([]);
    expect(summary.problems).toEqual([]);
    expect(summary.probes.map(({ probe, up }) => `${probe} ${up}`)).toEqual(
      ['kafka', 'lake', 'services', 'schedules', 'relay'].map((probe) => `${probe} true`),
    );
    expect(await openAfter(summary)).toEqual([]);
    expect(posted).toEqual([]);
    expect(beats).toHaveLength(1);
    const { stdout } = await datalab(
      ['tables', 'query', `SELECT value FROM meta.metrics WHERE metric = 'service.up'`, '--json'],
      env,
    );
    expect(JSON.parse(stdout)).toMatchObject([{ value: 1 }, { value: 1 }]);
    const brokers = [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''];
    const samples = await eventsOn<{ measurements: unknown[] }>(brokers, 'datalab-metrics');
    expect(samples).toHaveLength(1);
    expect(samples[0]?.data.measurements.length).toBeGreaterThan(30);
  });

  it('says that the object store is down, once, and that it is back', async () => {
    await stop('s3');
    expect(await openNow()).toEqual(['store_down{service=store}']);
    expect(await openNow()).toEqual(['store_down{service=store}']);
    await start('s3');
    expect(await openNow()).toEqual([]);
    expect(posted.map(({ change, title }) => `${change} ${title}`)).toEqual([
      'opened [critical] store_down opened',
      expect.stringMatching(/^resolved \[critical\] store_down resolved/),
    ]);
  });

  it('says that the broker is down over the channels that are left, and tells it later over the broker', async () => {
    await stop('kafka');
    expect(await openNow()).toEqual(['probe_failed{probe=kafka}']);
    await start('kafka');
    expect(await openNow()).toEqual([]);
    expect(posted.slice(-2).map(({ change }) => change)).toEqual(['opened', 'resolved']);
    const brokers = [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''];
    const told = await eventsOn<{ title: string }>(brokers, 'datalab-alerts');
    expect(told.filter(({ data }) => data.title.includes('probe_failed')).map(({ type }) => type)).toEqual([
      'io.datalab.alert.opened',
      'io.datalab.alert.resolved',
    ]);
  });

  it('says that a schedule was paused, keeps an acknowledgement, and obeys a silence', async () => {
    await datalab(['schedules', 'pause', 'medallion-etl-daily', '--note', 'a test'], env);
    const fingerprint = 'schedule_paused{schedule=medallion-etl-daily}';
    expect(await openNow()).toEqual([fingerprint]);
    const acknowledged = await datalab(['alerts', 'ack', fingerprint, '--by', 'ann', '--json'], env);
    expect(JSON.parse(acknowledged.stdout)).toMatchObject({ acknowledged: { by: 'ann' } });
    await datalab(['schedules', 'resume', 'medallion-etl-daily'], env);
    expect(await openNow()).toEqual([]);

    const before = posted.length;
    const silence = await datalab(
      ['alerts', 'silence', 'schedule_*', '--for', '1h', '--reason', 'r', '--json'],
      env,
    );
    await datalab(['schedules', 'pause', 'medallion-etl-daily'], env);
    expect(await openNow()).toEqual([fingerprint]);
    await datalab(['schedules', 'resume', 'medallion-etl-daily'], env);
    expect(await openNow()).toEqual([]);
    expect(posted).toHaveLength(before);
    const { id } = JSON.parse(silence.stdout) as { id: string };
    expect((await datalab(['alerts', 'unsilence', id], env)).code).toBe(0);
    expect((await datalab(['alerts', 'unsilence', id], env)).stderr).toContain('ALERT_UNKNOWN');
  });

  it('says which table cannot be read', async () => {
    const settings = readSettings({ ...process.env, ...ephemeral }).env;
    const lake = openObjectStore(LAKE, {
      s3: {
        endpoint: settings['AWS_ENDPOINT_URL'] ?? '',
        region: 'us-east-1',
        accessKeyId: settings['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: settings['AWS_SECRET_ACCESS_KEY'] ?? '',
        forcePathStyle: true,
      },
      cacheDirectory: path.join(folder, 'cache'),
      cacheBytes: 2 ** 20,
    });
    const log = 'gold/broken/_delta_log/00000000000000000000.json';
    await lake.put(log, new TextEncoder().encode('this is no log\n'));
    expect(await openNow()).toEqual(['table_unreadable{layer=gold,table=gold.broken}']);
    await lake.delete([log]);
    expect(await openNow()).toEqual([]);
  });

  it('keeps the history of all of it in meta.alerts', async () => {
    const { stdout } = await datalab(
      [
        'tables',
        'query',
        `SELECT rule, change, count(*) AS n FROM meta.alerts WHERE change IN ('opened', 'resolved') GROUP BY ALL ORDER BY ALL`,
        '--json',
      ],
      env,
    );
    expect(JSON.parse(stdout)).toEqual(
      [
        ['probe_failed', 1],
        ['schedule_paused', 2],
        ['store_down', 1],
        ['table_unreadable', 1],
      ].flatMap(([rule, n]) => ['opened', 'resolved'].map((change) => ({ rule, change, n }))),
    );
  });
});
