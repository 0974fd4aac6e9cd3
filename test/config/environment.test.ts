/** Variables over the file: which keys they set, as what, and which of them wins. */
import { describe, expect, it } from 'vitest';
import { VARIABLES, variableOf, withEnvironment } from '../../src/config/environment.js';
import { parseConfig } from '../../src/config/config.js';

it('leaves the file as it is where nothing is set, and never changes the object it is given', () => {
  const file = { kafka: { clientId: 'mine' } };
  expect(withEnvironment(file, {})).toEqual(file);
  withEnvironment(file, { DATALAB_KAFKA_ENABLED: 'false' });
  expect(file).toEqual({ kafka: { clientId: 'mine' } });
});

it('wins over the file, and keeps the keys beside', () => {
  const file = { temporal: { address: 'file:1', namespace: 'mine' } };
  expect(withEnvironment(file, { TEMPORAL_ADDRESS: 'env:2' })).toEqual({
    temporal: { address: 'env:2', namespace: 'mine' },
  });
});

it('takes an empty variable for one that is not set', () => {
  const file = { temporal: { address: 'file:1' } };
  expect(withEnvironment(file, { TEMPORAL_ADDRESS: '', AWS_REGION: undefined })).toEqual(file);
});

it('makes lists, numbers and booleans of texts', () => {
  const config = parseConfig('', {
    KAFKA_BOOTSTRAP_SERVERS: 'a:1, b:2',
    DATALAB_KAFKA_ENABLED: 'false',
    DATALAB_ETL_CORES: '3',
    DATALAB_ETL_MEMORY_GB: '1.5',
    DATALAB_MLOPS_MEMORY_GB: '2.5',
    TEMPORAL_TLS: 'true',
  });
  expect(config.kafka).toMatchObject({ brokers: ['a:1', 'b:2'], enabled: false });
  expect(config.limits.etl).toMatchObject({ cores: 3, memoryGb: 1.5 });
  expect(config.limits.mlops.memoryGb).toBe(2.5);
  expect(config.temporal.tls).toBe(true);
});

it('keeps keys that look like numbers as the texts that they are', () => {
  const { s3, temporal } = parseConfig('', {
    AWS_ACCESS_KEY_ID: '0123',
    AWS_SECRET_ACCESS_KEY: '1e5',
    TEMPORAL_NAMESPACE: 'true',
  });
  expect(s3).toMatchObject({ accessKeyId: '0123', secretAccessKey: '1e5' });
  expect(temporal.namespace).toBe('true');
});

describe.each(VARIABLES)('$name', ({ name, key }) => {
  it(`is named as what sets ${key}`, () => {
    expect(variableOf(key)).toBe(name);
  });

  it('sets a key that the schema knows', () => {
    const value = /tls|enabled/.test(key) ? 'true' : /cores|Gb|Seconds/.test(key) ? '7' : undefined;
    const text =
      value ??
      {
        'lake.uri': 'file:///x',
        's3.endpoint': 'http://h:1',
        'mlflow.trackingUri': 'http://h:2',
        'dashboard.publicUrl': 'http://h:3',
        'dashboard.url': 'http://h:4',
        'modelServer.port': '8081',
        'modelServer.url': 'http://h:4',
        'dashboard.port': '8502',
        'dashboard.temporalUiUrl': 'http://h:3',
        'schedules.timezone': 'UTC',
        'logging.level': 'warn',
      }[key] ??
      'host:1';
    const config: unknown = parseConfig('', { [name]: text });
    const found = key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], config);
    expect(String(found)).toBe(text);
  });
});

it('says nothing of keys that no variable sets', () => {
  expect(variableOf('kafka.topics.events')).toBeUndefined();
});
