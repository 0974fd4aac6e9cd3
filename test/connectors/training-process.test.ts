/** Processes that train and take more memory than they may are stopped by their parent, and by nobody else's fault. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryMbOf } from '../../src/connectors/process-memory.js';
import { runTrainingProcess } from '../../src/connectors/training-process.js';
import type { TrainJob, TrainingJob, TrainingProgress } from '../../src/contracts/training.js';
import { definition } from '../model-server/lab.js';

/** A process that lets no event in while it works, as the library does: it takes what the job says, then answers what it holds. */
const CHILD = `
process.once('message', ({ model, output }) => {
  process.send({ progress: { phase: 'begun', done: process.pid, total: 1, unit: '' } });
  const [how, mb] = output.split(' ');
  const held = [];
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let taken = 0; taken < Number(mb); taken += 8) {
    if (how === 'native') held.push(Buffer.alloc(8 * 2 ** 20, 1));
    else held.push(Array.from({ length: 2 ** 20 }, (_, at) => at + 0.5));
    Atomics.wait(pause, 0, 0, 10);
  }
  process.send({ result: held.length }, () => process.disconnect());
});
`;

let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'datalab-training-process-'));
  program = path.join(folder, 'child.cjs');
  writeFileSync(program, CHILD);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = definition();
const [candidate] = model.candidates;
const job = (output: string): TrainingJob => ({
  ...{ kind: 'train', features: '', model, output, library: null },
  candidate: candidate as TrainJob['candidate'],
});
const { signal } = new AbortController();
const quiet = (): void => undefined;

describe('a process that trains', () => {
  it.each([
    [
      'beside the heap',
      'native 4096',
      /^training 'linear' of model 'demand' took \d+ MiB of memory, the process may take 256 MiB: it was stopped$/,
    ],
    [
      'in its heap',
      'heap 4096',
      /^training 'linear' of model 'demand' took .+ of memory, the process may take 256 MiB: it was stopped$/,
    ],
  ])(
    'and takes more than it may %s is stopped, says so by its code, and another goes on',
    async (_where, takes, says) => {
      let other = 0;
      let pid = 0;
      const goesOn = runTrainingProcess<number>(program, job('native 1024'), {
        ...{ signal, memoryMb: 2048 },
        progress: ({ done }: TrainingProgress) => (other = done),
      });
      const error: unknown = await runTrainingProcess(program, job(takes), {
        ...{ signal, memoryMb: 256 },
        progress: ({ done }: TrainingProgress) => (pid = done),
      }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'MODEL_MEMORY_EXCEEDED', retry: false });
      expect((error as Error).message).toMatch(says);
      // It is gone, not merely given up.
      expect(pid).toBeGreaterThan(0);
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(await goesOn).toBe(128);
      expect(other).not.toBe(pid);
    },
  );

  it('may take all that it is given, and as much as there is where nothing is said', async () => {
    for (const memoryMb of [512, undefined])
      expect(
        await runTrainingProcess(program, job('native 256'), {
          ...{ signal, progress: quiet, ...(memoryMb !== undefined && { memoryMb }) },
        }),
      ).toBe(32);
  });

  it('that is stopped by whoever wants it no longer says that, and not that it took too much', async () => {
    const stop = new AbortController();
    const reason = new Error('cancelled');
    const ended = runTrainingProcess(program, job('native 1024'), {
      ...{ signal: stop.signal, memoryMb: 4096 },
      progress: () => stop.abort(reason),
    });
    await expect(ended).rejects.toBe(reason);
  });
});

it('counts what a process has written, and nothing of one that is gone', () => {
  const before = memoryMbOf(process.pid);
  const held = Buffer.alloc(128 * 2 ** 20, 1);
  expect(memoryMbOf(process.pid) - before).toBeGreaterThan(100);
  expect(held).toHaveLength(128 * 2 ** 20);
  expect(memoryMbOf(2 ** 22 + 1)).toBe(0);
});
