/** Cancellation: the step says that it was cancelled, leaves nothing behind, and nothing of it is visible. */
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/flows.js';
import type { Engine, EngineSession } from '../../src/delta/index.js';
import { Lab } from './lab.js';

/** Called at the moments at which a test may cancel. */
let moment: (name: 'download' | 'open' | 'run' | 'write' | 'upload') => void = () => undefined;

let lab: Lab;
beforeEach(() => {
  moment = () => undefined;
  lab = new Lab({
    deps: ({ deps }) => ({
      sources: {
        list: (location, options) => deps.sources.list(location, options),
        download: (source, directory, options) => {
          moment('download');
          return deps.sources.download(source, directory, options);
        },
      },
      engine: watched(deps.engine),
    }),
  });
});
afterEach(() => lab.close());

/** The real engine, which says what it is about to do. */
function watched(engine: Engine): Engine {
  return {
    threads: engine.threads,
    sqlType: (type) => engine.sqlType(type),
    relation: (plan) => engine.relation(plan),
    open: async (options) => {
      moment('open');
      const session = await engine.open(options);
      return {
        run: (sql) => {
          moment('run');
          return session.run(sql);
        },
        rows: <Row extends object>(sql: string) => session.rows<Row>(sql),
        writeParquet: async (select, file) => {
          moment('write');
          const written = await session.writeParquet(select, file);
          moment('upload');
          return written;
        },
        writeParquetFiles: async (select, folder) => {
          moment('write');
          const written = await session.writeParquetFiles(select, folder);
          moment('upload');
          return written;
        },
        writeText: (select, file, signs) => session.writeText(select, file, signs),
        describe: (select) => session.describe(select),
        stream: (select) => session.stream(select),
        close: () => session.close(),
      } satisfies EngineSession;
    },
  };
}

describe.each(['download', 'open', 'run', 'write', 'upload'] as const)('while it is to %s', (when) => {
  it('stops writeBronze', async () => {
    lab.source('a.csv', '1,ann,10', 'x,bob,1');
    const run = lab.newRun();
    const { manifest } = await lab.do('discoverSources', run);
    const environment = new MockActivityEnvironment({ activityType: 'writeBronze' });
    moment = (name) => {
      if (name === when) environment.cancel();
    };
    const error: unknown = await environment.run(lab.etl.writeBronze, run, manifest ?? '').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(CancelledFailure);
    expect(lab.leftovers()).toEqual([]);
    expect(await lab.version('bronze/sales')).toBeUndefined();
    expect(await lab.version('quarantine/sales')).toBeUndefined();

    moment = () => undefined;
    expect((await lab.run()).bronze?.ledger).toEqual({ read: 2, accepted: 1, duplicate: 0, quarantined: 1 });
  });
});

it('stops a long statement of the engine', async () => {
  lab.source('a.csv', ...Array.from({ length: 1000 }, (_, index) => `${index},ann,1`));
  await lab.fillBronze();
  lab.edit(
    'silver.sql',
    `SELECT id, name, amount + 0 * (SELECT max(sin(a.i * b.i)) FROM range(100000000) a(i), range(1000) b(i)) AS amount,
      _source_id, _source_file, _source_line, _source_modified_at, _ingested_at, _run_id FROM bronze.sales`,
  );
  const environment = new MockActivityEnvironment({ activityType: 'writeSilver' });
  moment = (name) => {
    if (name === 'write') setTimeout(() => environment.cancel(), 50);
  };
  await expect(environment.run(lab.etl.writeSilver, lab.newRun(), {})).rejects.toBeInstanceOf(
    CancelledFailure,
  );
  expect(lab.leftovers()).toEqual([]);
  expect(await lab.version('silver/sales')).toBeUndefined();
});

it('tells with its heartbeats how far it is', async () => {
  lab.source('a.csv', '1,ann,10');
  const run = lab.newRun();
  const { manifest } = await lab.do('discoverSources', run);
  const environment = new MockActivityEnvironment({ activityType: 'writeBronze', heartbeatTimeoutMs: 4 });
  const seen: Progress[] = [];
  environment.on('heartbeat', (details: Progress) => seen.push(details));
  const staged: unknown = await environment.run(lab.etl.writeBronze, run, manifest ?? '');
  expect(staged).toMatchObject({ ledger: { read: 1 } });
  expect(seen.length).toBeGreaterThan(0);
  for (const { phase, done, total, unit } of seen) {
    expect(phase).not.toBe('');
    expect(done).toBeLessThanOrEqual(total);
    expect(typeof unit).toBe('string');
  }
  const after = seen.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen.length).toBe(after);
});
