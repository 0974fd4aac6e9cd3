import { defineConfig } from 'vitest/config';

/** Tiers that have a folder of their own under test/; every other test is a unit test. */
const NAMED = ['contract', 'golden', 'spark', 'workflow', 'replay', 'faults', 'e2e'];
const MINUTE = 60_000;

export default defineConfig({
  test: {
    // Two shared cores: more workers only make every test slower.
    maxWorkers: 2,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: NAMED.map((tier) => `test/${tier}/**`),
          // Far more than any takes: what these catch is a test that hangs, not a machine that is busy.
          testTimeout: 4 * MINUTE,
          hookTimeout: 2 * MINUTE,
        },
      },
      ...NAMED.map((tier) => ({
        test: {
          name: tier,
          include: [`test/${tier}/**/*.test.ts`],
          globalSetup: ['test/support/stack-setup.ts'],
          // A statement of Spark's takes seconds where others are at work beside it.
          testTimeout: (tier === 'spark' ? 15 : 5) * MINUTE,
          hookTimeout: 3 * MINUTE,
          // Faults kill things that others share.
          fileParallelism: tier !== 'faults' && tier !== 'e2e',
        },
      })),
    ],
  },
});
