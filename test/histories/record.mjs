/**
 * Records the history of a finished run for the replay tests:
 *
 *   node test/histories/record.mjs <workflowId> <name>     →  test/histories/<name>.json
 *
 * A changed workflow adds a history here; a history that is here is never edited. What names a machine is taken out.
 */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { loadConfig } from '../../dist/config/config.js';
import { toolCache } from '../../dist/platform/settings.js';
import { locateProgram } from '../../dist/platform/tools.js';

const [workflowId, name] = process.argv.slice(2);
if (!workflowId || !name) throw new Error('usage: node test/histories/record.mjs <workflowId> <name>');
const { config } = await loadConfig({ projectDirectory: process.cwd(), env: process.env });
const temporal = await locateProgram('temporal', { processEnv: process.env, cacheDir: toolCache(process.env) });
const shown = execFileSync(
  temporal,
  [
    ...['workflow', 'show', '--workflow-id', workflowId, '--output', 'json'],
    ...['--address', config.temporal.address, '--namespace', config.temporal.namespace],
  ],
  { encoding: 'utf8', maxBuffer: 2 ** 28 },
);
// Workers and their sticky queues are named after process and host; stacks of failures name folders.
const history = JSON.parse(shown, (key, value) =>
  key === 'identity' ? 'worker' : key === 'stackTrace' ? '' : typeof value === 'string' ? value.replace(/^\d+@[^ ]*-([0-9a-f]{32})$/, 'worker-$1') : value,
);
const text = JSON.stringify(history, null, 1);
const decoded = text.replace(/"data": "([^"]*)"/g, (_, data) => Buffer.from(data, 'base64').toString());
if (decoded.includes(process.cwd())) {
  throw new Error('this history names a folder of this machine; choose a run that does not');
}
await writeFile(new URL(`${name}.json`, import.meta.url), `${text}\n`);
