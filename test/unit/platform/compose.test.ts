/** docker-compose.yml: accepted by Compose, and true to the program that runs in it. No Docker engine is needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/config.js';
import { VARIABLES } from '../../../src/config/environment.js';
import { POOLS } from '../../../src/contracts/flows.js';
import { PORTS, PROJECT_ROOT } from '../../../src/platform/settings.js';
import { TOOL_VERSIONS } from '../../../src/platform/tools.js';

interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: unknown;
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string>> } };
}

const FILE = path.join(PROJECT_ROOT, 'docker-compose.yml');
const text = readFileSync(FILE, 'utf8');
const { services, networks } = parse(text, { merge: true }) as {
  services: Readonly<Record<string, Service>>;
  networks: Readonly<Record<string, { internal?: boolean }>>;
};
const all = Object.entries(services);
const ours = all.filter(([, { image }]) => image?.startsWith('datalab:'));
/** Values for what the file wants from the environment, so that nothing of the tester's own gets in. */
const SECRETS = { AWS_ACCESS_KEY_ID: 'one', AWS_SECRET_ACCESS_KEY: 'two', POSTGRES_PASSWORD: 'three' };
const compose = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  spawnSync('docker-compose', ['-f', FILE, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    encoding: 'utf8',
    cwd: PROJECT_ROOT,
  });
const NO_COMPOSE = spawnSync('docker-compose', ['version']).error
  ? '(skipped: docker-compose is not installed)'
  : '';

describe.skipIf(NO_COMPOSE !== '')(`Compose itself ${NO_COMPOSE}`, () => {
  it('accepts the file', () => {
    expect(compose(SECRETS, 'config', '--quiet')).toMatchObject({ status: 0 });
  });

  it.each(Object.keys(SECRETS))('refuses to start without %s, and says what it is for', (name) => {
    const { status, stderr } = compose({ ...SECRETS, [name]: '' }, 'config', '--quiet');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/in the environment or in \.env/);
  });
});

describe.each(all)('service %s', (_, service) => {
  const once = service.restart === 'on-failure:5';

  it('has a pinned image, limits and a network', () => {
    expect(service.image).toMatch(/:v?\d+\.\d+/);
    expect(Object.keys(service.deploy?.resources.limits ?? {}).sort()).toEqual(['cpus', 'memory']);
    expect(service.networks).toContain('inside');
  });

  it('is asked whether it is well, unless it ends by itself', () => {
    expect(service.healthcheck === undefined).toBe(once);
    expect(once ? 'unless-stopped' : service.restart).toBe('unless-stopped');
  });

  it('is reached from this host only, where it is reached from outside at all', () => {
    for (const port of service.ports ?? [])
      expect(port).toMatch(/^127\.0\.0\.1:\$\{DATALAB_\w+_PORT:-\d+\}:\d+$/);
    expect(service.networks?.includes('edge') ?? false).toBe((service.ports ?? []).length > 0);
  });

  it('has its secrets from the environment', () => {
    for (const [name, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|PWD|SECRET|ACCESS_KEY/.test(name)) expect(value).toMatch(/^\$\{\w+:\?/);
  });
});

it('publishes the usual ports under the variables that also move them elsewhere', () => {
  const published = all.flatMap(([, { ports = [] }]) => ports);
  const known = Object.values(PORTS).map(({ variable, usual }) => `127.0.0.1:\${${variable}:-${usual}}:`);
  for (const port of published) expect(known.some((start) => port.startsWith(start))).toBe(true);
  expect(networks['inside']?.internal).toBe(true);
});

it('sets only variables that the configuration reads, and every address and secret that it needs', () => {
  const known = new Set(VARIABLES.map(({ name }) => name));
  for (const [, { environment = {} }] of ours) {
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
    const filled = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        String(value).replace(/^\$\{\w+:[?-](.*)\}$/, (_, rest: string) =>
          name.startsWith('AWS') ? 'x' : rest,
        ),
      ]),
    );
    const config = parseConfig('', filled);
    for (const address of [
      config.s3.endpoint ?? '',
      ...config.kafka.brokers,
      config.mlflow.trackingUri,
      config.temporal.address,
    ]) {
      const host = /^(?:\w+:\/\/)?([^:/]+)/.exec(address)?.[1] ?? '';
      expect(Object.keys(services)).toContain(host);
    }
    expect(config.s3).toMatchObject({ accessKeyId: 'x', secretAccessKey: 'x' });
  }
});

it('runs a worker for every pool, and gives each more time to stop than it takes', () => {
  const workers = ours.filter(([, { command }]) => command?.includes('dist/worker.js'));
  expect(workers.map(([, { command }]) => command?.at(-1)).sort()).toEqual([...POOLS].sort());
  const { shutdownGraceSeconds } = parseConfig('', {}).worker;
  for (const [, { stop_grace_period: grace = '' }] of workers)
    expect(Number.parseInt(grace, 10)).toBeGreaterThan(shutdownGraceSeconds + 10);
});

it('runs the versions that the development platform runs', () => {
  expect(services['kafka']?.image).toBe(`apache/kafka:${TOOL_VERSIONS.kafka}`);
  expect(services['s3']?.image).toBe(`versity/versitygw:v${TOOL_VERSIONS.versitygw}`);
  expect(services['mlflow']?.image).toBe(`datalab-mlflow:${TOOL_VERSIONS.mlflow}`);
  const { version } = JSON.parse(readFileSync(path.join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  for (const [, { image }] of ours) expect(image).toBe(`datalab:${version}`);
});

it('the images copy only what is in the repository', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
  }).split('\n');
  const dockerfile = readFileSync(path.join(PROJECT_ROOT, 'infra/images/Dockerfile'), 'utf8');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  expect(copied.length).toBeGreaterThan(3);
  for (const entry of copied)
    expect(
      files.some((file) => file === entry || file.startsWith(`${entry}/`)),
      entry,
    ).toBe(true);
});
