/** Temporal's time-skipping test server, from the tool cache that `infra/prepare/test-server.sh` fills. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const pom = readFileSync(
  fileURLToPath(new URL('../../infra/temporal-test-server/pom.xml', import.meta.url)),
  'utf8',
);
const version = /<temporal\.version>(.*)<\/temporal\.version>/.exec(pom)?.[1] ?? '';
const cache =
  process.env['DATALAB_CACHE_DIR'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'datalab');

export const TEST_SERVER_PATH = path.join(cache, `temporal-test-server-${version}`, 'start');

/** False where the tool was not prepared: the suite is then skipped with this as its reason, and fails in CI. */
export const hasTestServer = existsSync(TEST_SERVER_PATH);

/** A server whose clock jumps over timers while a workflow waits. */
export function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: TEST_SERVER_PATH } },
  });
}
