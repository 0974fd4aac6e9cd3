/**
 * One process beside others on one table, to be killed at any moment: a writer with its numbered operations, or a
 * maintainer with its random ones. Says on its output what it has done, a line of JSON each.
 *
 *   node maintenance-actor.mjs '{"role":"writer","name":"w1","first":7,"seed":3,"uri":"s3://…","s3":{…},"folder":"/tmp/…"}'
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDuckDbEngine, openObjectStore } from '../../dist/connectors/index.js';
import { DeltaTable } from '../../dist/delta/index.js';

const { role, name, first, seed, uri, s3, folder, appends = 5 } = JSON.parse(process.argv[2]);
const engine = createDuckDbEngine({
  memoryLimit: '200MB',
  threads: 1,
  spillDirectory: path.join(folder, 'spill'),
});
const store = openObjectStore(uri, {
  s3,
  cacheDirectory: path.join(folder, `cache-${name}`),
  cacheBytes: 1e8,
});
const table = new DeltaTable(store, { engine, scratchDirectory: folder });
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** The operation with this number: always the same, so that a repetition is one. */
function operationOf(number) {
  const random = mulberry(seed * 100_003 + number);
  const drawn = Math.floor(random() * (appends + 2));
  const kind = ['delete', 'update'][drawn - appends] ?? 'append';
  if (kind === 'append') {
    const from = number * 1000;
    return { writer: name, number, kind, from, count: 1 + Math.floor(random() * 40) };
  }
  const modulus = 3 + Math.floor(random() * 9);
  return {
    writer: name,
    number,
    kind,
    modulus,
    rest: Math.floor(random() * modulus),
    by: 1 + Math.floor(random() * 5),
  };
}

function mulberry(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

async function write(number) {
  const operation = operationOf(number);
  const options = {
    transaction: { appId: name, version: number },
    info: { op: operation },
    attempts: 50,
  };
  const { kind, from, count, modulus, rest, by } = operation;
  const where = `id % ${modulus} = ${rest}`;
  const report =
    kind === 'append'
      ? await table.append(
          {
            sql: `SELECT '${name}' AS writer, ${from} + i AS id, i::BIGINT AS value FROM range(${count}) r(i)`,
          },
          options,
        )
      : kind === 'delete'
        ? await table.delete({ where, ...options })
        : await table.update({ set: { value: `value + ${by}` }, where, ...options });
  say({ acknowledged: number, status: report.status });
}

async function maintain(random) {
  const task = ['optimize', 'optimize', 'optimize', 'vacuum', 'checkpoint', 'clean-log', 'fsck'][
    Math.floor(random() * 7)
  ];
  switch (task) {
    case 'optimize':
      return say({ task, ...(await table.optimize()) });
    case 'vacuum':
      return say({ task, deleted: (await table.vacuum()).deleted });
    case 'checkpoint':
      return say({ task, ...(await table.checkpoint()) });
    case 'clean-log':
      return say({ task, deleted: (await table.cleanLog()).deleted });
    default:
      return say({ task, findings: (await table.fsck()).findings.length });
  }
}

/** What two that are at work at once may meet, and what a program of ours would try again. */
const OVERTAKEN = new Set(['DELTA_CONCURRENT_CHANGE', 'DELTA_COMMIT_CONTENDED']);

say({ begun: true });
const random = mulberry(seed + first * 7919);
for (let number = first; ;) {
  try {
    if (role === 'writer') await write(number);
    else await maintain(random);
    number += 1;
    // Writers come and go; without a pause nobody else would ever come first.
    if (role === 'writer') await delay(400 * random());
  } catch (error) {
    if (!OVERTAKEN.has(error.code)) {
      say({ failed: `${error.code ?? error.name}: ${error.message}`, stack: error.stack });
      process.exit(1);
    }
  }
}
