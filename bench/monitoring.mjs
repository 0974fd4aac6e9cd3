/**
 * A whole monitoring cycle: on a healthy platform with every service, and then with a thousand tables and a thousand topics.
 *
 *   node bench/monitoring.mjs [--tables 1000] [--topics 1000] [--cycles 5]
 *
 * Prints the seconds of each cycle, from Temporal's start of the workflow to its end, with those of each probe, and the
 * processor time of the worker. Every topic has a message, twenty have a consumer group that has read it. Needs
 * `npm run build` and the tools that `./manage.sh start` prepares.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { loadConfig } from '../dist/config/config.js';
import { createRowParquet, openObjectStore } from '../dist/connectors/index.js';
import { connectTemporal } from '../dist/connectors/temporal.js';
import { appendRows, DeltaTable, mapLimited } from '../dist/delta/index.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { livingRecord } from '../dist/platform/record.js';

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: '1000' },
    topics: { type: 'string', default: '1000' },
    cycles: { type: 'string', default: '5' },
  },
});
const project = fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(path.join(project, 'dist/platform/main.js'))) throw new Error('run `npm run build` first');
const numbers = (count) => Array.from({ length: Number(count) }, (_, number) => number);
const named = (prefix, number) => `${prefix}${String(number).padStart(5, '0')}`;
const field = (name, type) => ({ name, type, nullable: true, metadata: {} });
const schema = { type: 'struct', fields: [field('id', 'long'), field('name', 'string')] };

const folder = mkdtempSync(path.join(tmpdir(), 'datalab-bench-'));
const stack = await createEphemeral();
const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...stack };

/** Processor seconds that a process has used so far. */
function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function cycles(temporal, pid, count) {
  for (const number of numbers(count)) {
    const before = processorSeconds(pid);
    const handle = await temporal.workflow.start('platformMonitoring', {
      ...{ workflowId: `bench-${Date.now()}-${number}`, taskQueue: 'datalab-monitoring' },
    });
    const { probes, findings, problems } = await handle.result();
    const { startTime, closeTime } = await handle.describe();
    const seconds = (closeTime.getTime() - startTime.getTime()) / 1000;
    const each = probes.map(({ probe, up, ms, count }) => `${probe} ${up ? ms : 'DOWN'} ms (${count})`);
    process.stdout.write(
      `  ${seconds.toFixed(2)} s, processor of the worker ${(processorSeconds(pid) - before).toFixed(2)} s: ${each.join(', ')}\n`,
    );
    for (const { fingerprint, summary } of findings.slice(0, 5))
      process.stdout.write(`    found ${fingerprint}: ${summary}\n`);
    for (const problem of problems) process.stdout.write(`    problem ${problem}\n`);
  }
}

async function makeTables(config) {
  const lake = openObjectStore(config.lake.uri, {
    ...{ s3: config.s3, cacheDirectory: path.join(folder, 'cache'), cacheBytes: 1e9 },
  });
  const port = createRowParquet();
  await mapLimited(numbers(values.tables), 16, async (number) => {
    const table = new DeltaTable(lake.at(`gold/${named('t', number)}`));
    await appendRows(table, port, [{ id: number, name: 'a row' }], { schema });
  });
}

async function makeTopics(config) {
  const kafka = new Kafka({ brokers: config.kafka.brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  const topics = numbers(values.topics).map((number) => named('bench.', number));
  for (let from = 0; from < topics.length; from += 100)
    await admin.createTopics({
      ...{ topics: topics.slice(from, from + 100).map((topic) => ({ topic })), waitForLeaders: false },
    });
  while ((await admin.listTopics()).length < topics.length) await setTimeout(200);
  for (let from = 0; from < topics.length; from += 100)
    await producer.sendBatch({
      topicMessages: topics
        .slice(from, from + 100)
        .map((topic) => ({ topic, messages: [{ value: 'a message' }] })),
    });
  // The library joins a group for each of them, which takes seconds.
  for (const topic of topics.slice(0, 20))
    await admin.setOffsets({
      groupId: `reader-${topic}`,
      topic,
      partitions: [{ partition: 0, offset: '1' }],
    });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}

try {
  execFileSync(process.execPath, ['dist/platform/main.js', 'start'], {
    ...{ cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  const { config } = await loadConfig({ projectDirectory: project, env });
  const { pid } = livingRecord(stack.DATALAB_STATE_DIR, 'worker');
  const temporal = await connectTemporal(config.temporal);
  for (const command of [
    ['schedules', 'apply'],
    ['schedules', 'pause', 'datalab-monitoring-realtime'],
    ['runs', 'start', 'stocks', '--wait'],
  ])
    execFileSync(process.execPath, ['dist/cli/main.js', ...command], { cwd: project, env, stdio: 'ignore' });
  process.stdout.write('a healthy platform with every service\n');
  await cycles(temporal, pid, values.cycles);
  process.stdout.write(`${values.tables} more tables and ${values.topics} more topics\n`);
  await makeTables(config);
  await makeTopics(config);
  await cycles(temporal, pid, values.cycles);
  await temporal.connection.close();
} finally {
  await destroyEphemeral(stack);
  rmSync(folder, { recursive: true, force: true });
}
