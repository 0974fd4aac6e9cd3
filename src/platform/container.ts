/**
 * `node dist/platform/container.js <command>`: what the containers of docker-compose.yml run beside the worker.
 *
 *   furnish        makes the lake's bucket and the Kafka topics of the configuration; repeating it changes nothing
 *   polls <pool>   health check of a worker: whether its pool's task queue is polled
 *
 * Exit codes: 0 done, 1 not, 2 wrong usage. Everything comes from the configuration, nothing from a state folder.
 */
import { loadConfig, type Config } from '../config/config.js';
import { POOLS, TASK_QUEUES, type Pool } from '../contracts/flows.js';
import { createTopics } from './probes/kafka.js';
import { probePollers } from './probes/temporal.js';
import { createBucket } from './probes/s3.js';

/** Makes what users of the services expect to find. Returns a line about each. Throws what the service said. */
export async function furnish({ lake, s3, kafka }: Config): Promise<string[]> {
  const said: string[] = [];
  const bucket = /^s3:\/\/([^/]+)/.exec(lake.uri)?.[1];
  if (bucket !== undefined && s3.endpoint !== undefined) {
    const { endpoint, region, accessKeyId = '', secretAccessKey = '' } = s3;
    await createBucket({ endpoint, region, accessKeyId, secretAccessKey, bucket });
    said.push(`bucket ${bucket} is there`);
  }
  const [broker] = kafka.brokers;
  if (kafka.enabled && broker !== undefined) {
    const topics = Object.values(kafka.topics);
    await createTopics(broker, topics);
    said.push(`topics ${topics.join(', ')} are there`);
  }
  return said;
}

/** Throws where nobody polls the pool's task queue. */
export async function polls({ temporal }: Config, pool: Pool): Promise<string> {
  const { address, namespace } = temporal;
  return probePollers({ address, namespace, taskQueues: [TASK_QUEUES[pool]] });
}

async function main([command, pool]: readonly string[]): Promise<number> {
  const wanted = POOLS.find((known) => known === pool);
  if (command !== 'furnish' && !(command === 'polls' && wanted)) {
    process.stderr.write(`usage: container.js furnish | polls ${POOLS.join('|')}\n`);
    return 2;
  }
  try {
    const { config } = await loadConfig({
      projectDirectory: process.cwd(),
      env: process.env,
      platform: false,
    });
    const said = wanted ? [await polls(config, wanted)] : await furnish(config);
    process.stdout.write(said.map((line) => `${line}\n`).join(''));
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

if (process.argv[1]?.endsWith('container.js')) process.exitCode = await main(process.argv.slice(2));
