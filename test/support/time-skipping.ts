/** Temporal's time-skipping test server, from the tool cache that `infra/prepare/test-server.sh` fills. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { toolCache } from '../../src/platform/settings.js';

const pom = readFileSync(
  fileURLToPath(new URL('../../infra/temporal-test-server/pom.xml', import.meta.url)),
  'utf8',
);
const version = /<temporal\.version>(.*)<\/temporal\.version>/.exec(pom)?.[1] ?? '';
export const TEST_SERVER_PATH = path.join(toolCache(process.env), `temporal-test-server-${version}`, 'start');

/** False where the tool was not prepared: the suite is then skipped with this as its reason, and fails in CI. */
export const hasTestServer = existsSync(TEST_SERVER_PATH);

/** The library gives the server five seconds to start: it does without what only pays off over hours. */
process.env['JAVA_TOOL_OPTIONS'] ??= '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

/** The server is given a port that was free a moment ago, and a few seconds to start: on a busy machine either may fail. */
const ATTEMPTS = 6;

/** A server whose clock jumps over timers while a workflow waits. */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt++) {
    try {
      const environment = await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path: TEST_SERVER_PATH } },
      });
      await environment.connection.ensureConnected();
      return environment;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await wait(attempt * 2000);
    }
  }
}
