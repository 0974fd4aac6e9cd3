/** The real services that a test run shares: `await testStack('s3')` starts what it names, once, on ports of its own. */
import { inject } from 'vitest';
import type { S3Access } from '../../src/platform/probes/s3.js';
import { s3Access } from '../../src/platform/services/s3.js';
import { readSettings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';

export type TestService = 's3' | 'kafka' | 'temporal' | 'mlflow';

export interface TestStack {
  readonly s3: S3Access;
  readonly kafka: { readonly brokers: readonly string[] };
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** Its tracking URI. */
  readonly mlflow: string;
  /** Entries for the environment of a child process (worker, CLI): endpoints, keys, state folder. */
  readonly env: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Environment entries of the stack that this run may start; see test/support/stack-setup.ts. */
    datalabStack: Readonly<Record<string, string>>;
  }
}

/**
 * Endpoints of the run's stack, with the named services answering (call it in `beforeAll`, with a generous timeout: the
 * first call starts them). The stack is shared by all tests of a run: use key prefixes, topics and ids of your own.
 */
export async function testStack(...services: readonly TestService[]): Promise<TestStack> {
  const stack = inject('datalabStack');
  const { settings, outcomes } = await startPlatform({ ...process.env, ...stack }, { only: services });
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed' || outcome === 'left out');
  if (failed.length > 0) throw new Error(failed.map(({ detail }) => detail).join('\n'));
  const { env } = readSettings({ ...process.env, ...stack });
  return {
    s3: s3Access(settings),
    kafka: { brokers: [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''] },
    temporal: { address: env['TEMPORAL_ADDRESS'] ?? '', namespace: env['TEMPORAL_NAMESPACE'] ?? 'default' },
    mlflow: env['MLFLOW_TRACKING_URI'] ?? '',
    env: { ...env, ...stack },
  };
}
