/**
 * Global setup of every tier that may use real services: sets a stack aside, and ends it after the run. Nothing starts
 * before a test asks. Under `./manage.sh test` the stack of DATALAB_TEST_STACK is used, which its maker ends.
 */
import type { TestProject } from 'vitest/node';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATALAB_TEST_STACK'];
  const stack = given ? (JSON.parse(given) as Record<string, string>) : await createEphemeral();
  project.provide('datalabStack', stack);
  return async () => {
    if (!given) await destroyEphemeral(stack);
  };
}
