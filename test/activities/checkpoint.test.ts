/** Tables of records stay quick to open, and a checkpoint that fails costs nothing else. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FaultyObjectStore } from '../support/faulty-store.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

const CHECKPOINT = 'meta/runs/_delta_log/00000000000000000010.checkpoint.parquet';
let lab: Lab;
let broken: boolean;
const said: string[] = [];

/** A lake that takes no checkpoints while `broken`. */
class Lake extends FaultyObjectStore {
  override async putFileIfAbsent(key: string, path: string): Promise<'created' | 'exists'> {
    if (broken) throw new Error('no room for a checkpoint');
    return super.putFileIfAbsent(key, path);
  }

  override at(prefix: string): Lake {
    return new Lake(this.inner.at(prefix));
  }
}

beforeEach(() => {
  broken = false;
  said.length = 0;
  lab = new Lab({
    deps: ({ deps }) => ({
      lake: new Lake(deps.lake),
      log: (fields, message) => said.push(`${message}: ${JSON.stringify(fields)}`),
    }),
  });
});
afterEach(() => lab.close());

const record = () => lab.do('recordRun', reportOf(lab.newRun()));

it('comes with the commit that makes it due', async () => {
  for (let run = 0; run < 10; run += 1) await record();
  expect(await lab.deps.lake.head(CHECKPOINT)).toBeUndefined();
  await record();
  expect(await lab.deps.lake.head(CHECKPOINT)).toBeDefined();
  expect(said.filter((text) => text.startsWith('checkpoint written'))).toHaveLength(3);
  expect(await lab.rows('meta/runs')).toHaveLength(11);
});

it('fails without failing the step, and is made by the next commit', async () => {
  broken = true;
  for (let run = 0; run < 11; run += 1) expect(await record()).toMatchObject({ outcome: 'ok' });
  expect(said.find((text) => text.includes('meta/runs'))).toContain('no room for a checkpoint');
  broken = false;
  await record();
  expect(await lab.deps.lake.head(CHECKPOINT.replace('10.', '11.'))).toBeDefined();
});
