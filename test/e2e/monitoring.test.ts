/**
 * Monitoring on services that are really stopped: a platform of this test's own, a compiled worker, the command line.
 * Each trouble opens exactly one alert within one cycle, and resolves when it is over.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { connectTemporal } from '../../src/connectors/temporal.js';
import { ALERT_MANAGER, type AlertOverview } from '../../src/contracts/alerts.js';
import type { MonitoringSummary } from '../../src/contracts/monitoring.js';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import type { PlatformPicture } from '../../src/platform/picture.js';
import { PROJECT_ROOT, readSettings } from '../../src/platform/settings.js';
import type { ServiceName } from '../../src/platform/services/definition.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { eventsOn } from '../support/topic.js';
import { datalab, WorkerProcess, type Environment } from '../support/worker-process.js';

const LAKE = 's3://datalab/monitoring';
const PLATFORM = path.join(PROJECT_ROOT, 'dist', 'platform', 'main.js');

/** A busy machine is no outage: what is down refuses at once, and nothing here is held against a time. */
const configOf = (address: string): string => `
monitoring:
  targetTimeoutSeconds: 30
  probeTimeoutSeconds: 55
  channels: [{ type: webhook, name: sink, url: '${address}/alerts' }]
  targets: [{ name: shop, url: '${address}/shop' }]
  rules:
    - { name: service_slow, metric: service.response_ms, condition: '> 5000', severity: warning, summary: slow, enabled: false }
mlflow: { enabled: false }
dashboard: { watched: false }
`;

describe('monitoring', () => {
  let folder: string;
  let ephemeral: Environment;
  let env: Environment;
  let worker: WorkerProcess;
  let temporal: Client;
  let sink: Server;
  const posted: Array<{ change: string; title: string }> = [];
  const beats: unknown[] = [];
  /** What the watched shop answers with. */
  let shop = 200;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'datalab-monitoring-'));
    sink = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.url === '/shop') {
          response.writeHead(shop, { 'content-type': 'application/json' }).end('{"version":"7.1"}');
          return;
        }
        if (request.url === '/beat') beats.push(JSON.parse(body));
        else posted.push(JSON.parse(body) as (typeof posted)[number]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    const file = path.join(folder, 'datalab.yaml');
    await writeFile(file, configOf(address));
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
    temporal = await connectTemporal(parseConfig('', env).temporal);
    expect((await datalab(['schedules', 'apply'], env)).code).toBe(0);
    // The cycles of this test are started by hand, so that each of them comes after what was broken.
    expect((await datalab(['schedules', 'pause', 'datalab-monitoring-realtime'], env)).code).toBe(0);
  }, 180_000);
  afterAll(async () => {
    await temporal?.connection.close();
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

  async function cycle(): Promise<MonitoringSummary & PlatformPicture> {
    const { stdout, stderr } = await datalab(['monitoring', 'run', '--json'], env);
    expect(stderr).toBe('');
    return JSON.parse(stdout) as MonitoringSummary & PlatformPicture;
  }

  /** Open alerts, as the command line shows them once the manager has taken the cycle in and told of it. */
  async function openAfter(summary: MonitoringSummary): Promise<string[]> {
    const manager = temporal.workflow.getHandle(ALERT_MANAGER.workflowId);
    const takenAt = async () => (await manager.query<AlertOverview>(ALERT_MANAGER.overview)).lastReportAt;
    while ((await takenAt()) < Date.parse(summary.cycle.at)) await pause(100);
    const { stdout } = await datalab(['alerts', 'list', '--json'], env);
    const { open } = JSON.parse(stdout) as AlertOverview;
    return open.map(({ fingerprint }) => fingerprint).sort();
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
    expect(JSON.parse(stdout)).toMatchObject([{ value: 1 }, { value: 1 }, { value: 1 }]);
    const brokers = [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''];
    const samples = await eventsOn<{ measurements: unknown[] }>(brokers, 'datalab-metrics');
    expect(samples).toHaveLength(1);
    expect(samples[0]?.data.measurements.length).toBeGreaterThan(30);
  });

  it('says status, response time and version of a target, and when it answers with an error', async () => {
    const { services } = await cycle();
    const seen = services.find(({ service }) => service === 'shop');
    expect(seen).toMatchObject({ state: 'up', detail: 'status 200, version 7.1' });
    expect(seen?.ms).toBeGreaterThanOrEqual(0);
    shop = 503;
    expect(await openNow()).toEqual(['service_down{service=shop}']);
    shop = 200;
    expect(await openNow()).toEqual([]);
  });

  it('says what was changed of a schedule by hand, and what puts it right', async () => {
    const id = 'datalake-maintenance-weekly';
    await temporal.schedule.getHandle(id).update(({ spec, policies, action, state }) => ({
      ...{ policies, state, spec: { ...spec, timezone: 'UTC' } },
      action: { ...action, args: [{ options: { dryRun: true } }] },
    }));
    const summary = await cycle();
    expect(summary.findings).toMatchObject([
      {
        fingerprint: `schedule_changed{schedule=${id}}`,
        summary: expect.stringMatching(/the zone is UTC .*dryRun.*datalab schedules apply$/) as string,
      },
    ]);
    expect(await openAfter(summary)).toEqual([`schedule_changed{schedule=${id}}`]);
    const listed = await datalab(['schedules', 'list'], env);
    expect(listed.stdout).toMatch(new RegExp(`${id}.*not as declared`));
    expect((await datalab(['schedules', 'apply'], env)).stdout).toContain(`${id}: updated`);
    expect(await openNow()).toEqual([]);
  });

  it('says the same in health, whose picture names the newest cycle', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [PLATFORM, 'health', '--json'], {
      env: { ...process.env, ...ephemeral },
    }).catch((error: { stdout: string }) => error);
    const summary = await cycle();
    const { services, ...health } = JSON.parse(stdout) as PlatformPicture;
    expect(services.map(({ service }) => service)).toContain('kafka');
    expect(health).toMatchObject({ findings: [], problems: [] });
    expect(health.probes.map(({ probe }) => probe)).toEqual(summary.probes.map(({ probe }) => probe));
    expect(Date.parse(health.cycle?.at ?? '')).toBeLessThan(Date.parse(summary.cycle.at));
  });

  it('says that the object store is down, once, and that it is back', async () => {
    await stop('s3');
    expect(await openNow()).toEqual(['store_down{service=store}']);
    expect(await openNow()).toEqual(['store_down{service=store}']);
    await start('s3');
    expect(await openNow()).toEqual([]);
    expect(posted.slice(-2).map(({ change, title }) => `${change} ${title}`)).toEqual([
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
        ['schedule_changed', 1],
        ['schedule_paused', 2],
        ['service_down', 1],
        ['store_down', 1],
        ['table_unreadable', 1],
      ].flatMap(([rule, n]) => ['opened', 'resolved'].map((change) => ({ rule, change, n }))),
    );
  });
});
