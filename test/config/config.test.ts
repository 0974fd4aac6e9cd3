/** File and environment → one frozen configuration, or every problem at once. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, overlay, parseConfig, parseEnvFile, redact } from '../../src/config/config.js';
import { DatalabError } from '../../src/contracts/errors.js';

function problemsOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(DatalabError);
    expect((error as DatalabError).code).toBe('CONFIG_INVALID');
    return (error as DatalabError).message;
  }
  throw new Error('the configuration was taken');
}

describe('parseConfig', () => {
  it('has a default for everything', () => {
    const config = parseConfig('', {});
    expect(config.schedules).toMatchObject({
      timezone: 'America/Sao_Paulo',
      etlDaily: { cron: '0 6 * * *' },
      etlHourly: { cron: '0 * * * *' },
    });
    expect(config.kafka.topics).toEqual({
      events: 'datalab-events',
      notifications: 'datalab-notifications',
      metrics: 'datalab-metrics',
      alerts: 'datalab-alerts',
      lineage: 'datalab-lineage',
    });
    expect(parseConfig('# only a comment\n', {})).toEqual(config);
  });

  it('says every problem at once, with key path, and the variable where one is to blame', () => {
    const message = problemsOf(() =>
      parseConfig(
        'lake: { uri: "ftp://x" }\nquality: { minRows: -1 }\nworker: { concurrency: { etl: 0 } }\nlaek: 1\n',
        {
          DATALAB_ETL_CORES: 'many',
          DATALAB_LOG_LEVEL: 'loud',
        },
      ),
    );
    expect(message).toContain('6 problem');
    for (const part of [
      'lake.uri:',
      'quality.minRows:',
      'worker.concurrency.etl:',
      'laek',
      'limits.etl.cores (set by DATALAB_ETL_CORES):',
      'logging.level (set by DATALAB_LOG_LEVEL):',
    ])
      expect(message).toContain(part);
  });

  it('names the variable of an item of a list', () => {
    const message = problemsOf(() => parseConfig('', { KAFKA_BOOTSTRAP_SERVERS: 'good:1,nohost' }));
    expect(message).toContain('kafka.brokers.1 (set by KAFKA_BOOTSTRAP_SERVERS):');
  });

  it('blames the file where the variable is not set', () => {
    expect(problemsOf(() => parseConfig('logging: { level: loud }', {}))).not.toContain('DATALAB_LOG_LEVEL');
  });

  it('lets a variable repair what the file has wrong', () => {
    expect(parseConfig('logging: { level: loud }', { DATALAB_LOG_LEVEL: 'warn' }).logging.level).toBe('warn');
  });

  it.each([
    ['a list', '- 1\n- 2\n'],
    ['a text', 'hello\n'],
    ['broken YAML', 'lake: {uri: \n'],
    ['a key that is there twice', 'lake: {}\nlake: {}\n'],
  ])('names the file that is %s', (_what, yaml) => {
    expect(problemsOf(() => parseConfig(yaml, {}, 'my.yaml'))).toContain('my.yaml');
  });

  it('refuses a time zone that does not exist, and a schedule that is none', () => {
    const message = problemsOf(() =>
      parseConfig('schedules: { timezone: Mars/Base, etlDaily: { cron: "at six" } }', {}),
    );
    expect(message).toContain('schedules.timezone:');
    expect(message).toContain('schedules.etlDaily.cron:');
  });

  it('never says a secret in a problem', () => {
    const message = problemsOf(() =>
      parseConfig('s3: { secretAccessKey: 8675309 }\ntemporal: { apiKey: [hush] }\n', {}),
    );
    expect(message).toContain('s3.secretAccessKey');
    expect(message).not.toMatch(/8675309|hush/);
  });

  it('is frozen to the bottom', () => {
    const config = parseConfig('kafka: { brokers: ["a:1"] }', {});
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(config)).toBe(true);
    expect(() => Object.assign(config.kafka.topics, { events: 'other' })).toThrow(TypeError);
  });
});

describe('redact', () => {
  it('hides every secret and nothing else', () => {
    const config = parseConfig('', {
      AWS_ACCESS_KEY_ID: 'who',
      AWS_SECRET_ACCESS_KEY: 'hush-s3',
      TEMPORAL_API_KEY: 'hush-temporal',
    });
    const text = JSON.stringify(redact(config));
    expect(text).not.toContain('hush');
    expect(redact(config)).toEqual({
      ...config,
      s3: { ...config.s3, secretAccessKey: '***' },
      temporal: { ...config.temporal, apiKey: '***' },
    });
    expect(config.s3.secretAccessKey).toBe('hush-s3');
  });

  it('looks into lists', () => {
    expect(redact([{ password: 'x', name: 'n' }, null, 3])).toEqual([
      { password: '***', name: 'n' },
      null,
      3,
    ]);
  });
});

describe('parseEnvFile', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['  A = 1', {}],
    ['export A=1', { A: '1' }],
    ['# A=1\n\nB=2\n', { B: '2' }],
    ['A="x y"\nB=\'z\'', { A: 'x y', B: 'z' }],
    ['A="half', { A: '"half' }],
    ['A=""', { A: '' }],
    ['A=a=b#c', { A: 'a=b#c' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=1\nA=2', { A: '2' }],
    ['1A=1\nnonsense', {}],
  ])('%j', (text, expected) => {
    expect(parseEnvFile(text)).toEqual(expected);
  });
});

describe('overlay', () => {
  const platform = {
    AWS_ENDPOINT_URL: 'http://127.0.0.1:7070',
    AWS_ACCESS_KEY_ID: 'ours',
    AWS_SECRET_ACCESS_KEY: 'our-secret',
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
  };

  it('is what the platform says where the caller says nothing', () => {
    expect(overlay(platform, { TEMPORAL_ADDRESS: '', AWS_REGION: undefined })).toEqual(platform);
  });

  it('gives way to the caller', () => {
    expect(overlay(platform, { TEMPORAL_ADDRESS: 'mine:1', HOME: '/h' })).toMatchObject({
      TEMPORAL_ADDRESS: 'mine:1',
      HOME: '/h',
    });
  });

  it("never sends the caller's keys for another S3 to our gateway", () => {
    expect(overlay(platform, { AWS_ACCESS_KEY_ID: 'theirs', AWS_SECRET_ACCESS_KEY: 'their-secret' })).toEqual(
      platform,
    );
  });

  it("takes the caller's keys with the caller's endpoint", () => {
    const caller = {
      AWS_ENDPOINT_URL: 'https://s3.example.com',
      AWS_ACCESS_KEY_ID: 'theirs',
      AWS_SECRET_ACCESS_KEY: 'their-secret',
    };
    expect(overlay(platform, caller)).toEqual({ ...platform, ...caller });
  });

  it("never sends our gateway's keys to the caller's endpoint", () => {
    const merged = overlay(platform, { AWS_ENDPOINT_URL: 'https://s3.example.com' });
    expect(merged['AWS_ENDPOINT_URL']).toBe('https://s3.example.com');
    expect(Object.values(merged)).not.toContain('ours');
    expect(Object.values(merged)).not.toContain('our-secret');
  });

  it('keeps the keys where the caller names our own gateway', () => {
    expect(overlay(platform, { AWS_ENDPOINT_URL: platform.AWS_ENDPOINT_URL })).toEqual(platform);
  });

  it("takes the caller's keys where the platform has no S3", () => {
    const { TEMPORAL_ADDRESS } = platform;
    const caller = { AWS_ACCESS_KEY_ID: 'theirs', AWS_SECRET_ACCESS_KEY: 'their-secret' };
    expect(overlay({ TEMPORAL_ADDRESS }, caller)).toEqual({ TEMPORAL_ADDRESS, ...caller });
  });
});

describe('loadConfig', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'datalab-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  const addressWith = async (env: Record<string, string | undefined> = {}): Promise<string> =>
    (await loadConfig({ projectDirectory: folder, env })).config.temporal.address;

  it('goes by default, file, started platform, .env, process: the later wins', async () => {
    expect(await addressWith()).toBe('127.0.0.1:7233');
    write('datalab.yaml', 'temporal: { address: "file:1" }');
    expect(await addressWith()).toBe('file:1');
    write('.datalab/env', 'TEMPORAL_ADDRESS=platform:2\n');
    expect(await addressWith()).toBe('platform:2');
    write('.env', 'TEMPORAL_ADDRESS=dotenv:3\n');
    expect(await addressWith()).toBe('dotenv:3');
    expect(await addressWith({ TEMPORAL_ADDRESS: 'process:4' })).toBe('process:4');
  });

  it('finds the platform where DATALAB_STATE_DIR says, and the file where DATALAB_CONFIG says', async () => {
    write('state/env', 'TEMPORAL_ADDRESS=state:1\n');
    write('other.yaml', 'temporal: { namespace: other }');
    const { config } = await loadConfig({
      projectDirectory: folder,
      env: { DATALAB_STATE_DIR: 'state', DATALAB_CONFIG: 'other.yaml' },
    });
    expect(config.temporal).toMatchObject({ address: 'state:1', namespace: 'other' });
  });

  it('says which file is not there that DATALAB_CONFIG names', async () => {
    await expect(addressWith({ DATALAB_CONFIG: 'gone.yaml' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/gone\.yaml.*DATALAB_CONFIG/s) as string,
    });
  });
});
