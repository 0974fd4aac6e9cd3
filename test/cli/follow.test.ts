/** A run while it goes on. */
import { describe, expect, it } from 'vitest';
import { follow } from '../../src/cli/follow.js';
import type { RunHandle, RunProgress, RunResult } from '../../src/client/index.js';
import { step, summary } from './summaries.js';

/** A run that tells these things and then ends so. */
function runOf(told: readonly RunProgress[], result: RunResult): RunHandle {
  const run: Pick<RunHandle, 'watch'> = {
    watch: (onProgress) => {
      told.forEach(onProgress);
      return Promise.resolve(result);
    },
  };
  return run as RunHandle;
}

class Screen {
  text = '';
  constructor(readonly isTTY?: boolean) {}
  write(text: string): void {
    this.text += text;
  }
  lines(): string[] {
    return this.text.split('\n').filter((line) => line.trim() !== '');
  }
}

const steps = [step('discover'), step('write bronze.sales', { attempt: 3 }), step('record')];
const progress = (count: number): RunProgress => ({
  summary: summary({ phase: 'bronze', steps: steps.slice(0, count) }),
  activities: [
    { activity: 'writeBronze', attempt: 1, progress: { phase: 'p', done: 500, total: 1000, unit: 'rows' } },
  ],
});
const completed: RunResult = { status: 'completed', summary: summary({ steps }) };

describe('on a pipe', () => {
  it('prints every step once, in order, with its time and what it did', async () => {
    const screen = new Screen();
    const told = [progress(1), progress(1), progress(2), progress(3)];
    expect(await follow(runOf(told, completed), screen)).toBe(completed);
    const lines = screen.lines();
    expect(lines.map((line) => line.trim().split(/\s{2,}/)[0])).toEqual(steps.map((each) => each.step));
    expect(lines[0]).toContain('1.50 s');
    expect(lines[0]).toContain('discover was done');
  });

  it('says which attempt it took, from the second on', async () => {
    const screen = new Screen();
    await follow(runOf([progress(3)], completed), screen);
    expect(screen.lines().map((line) => /attempt (\d)/.exec(line)?.[1])).toEqual([undefined, '3', undefined]);
  });

  it('prints the steps that came after the last look', async () => {
    const screen = new Screen();
    await follow(runOf([progress(1)], completed), screen);
    expect(screen.lines()).toHaveLength(3);
    const late = new Screen();
    await follow(runOf([], completed), late);
    expect(late.lines()).toHaveLength(3);
  });

  it('has no bars and no control characters', async () => {
    const screen = new Screen();
    await follow(runOf([progress(1)], completed), screen);
    expect(screen.text).not.toMatch(/[\r\u001b]|####/);
  });
});

describe('on a terminal', () => {
  it('shows how far the running step is, and leaves only the steps behind', async () => {
    const screen = new Screen(true);
    await follow(runOf([progress(1), progress(3)], completed), screen);
    expect(screen.text).toContain('writeBronze');
    expect(screen.text).toContain(' 50 %');
    expect(screen.text).toContain('500 rows');
    const left = screen.text.split('\n').map((line) => line.split('\u001b[K').at(-1) ?? '');
    expect(left.filter((line) => line !== '').map((line) => line.trim().split(/\s{2,}/)[0])).toEqual(
      steps.map((each) => each.step),
    );
  });

  it('shows the phase alone where nothing is running or nothing is known', async () => {
    const screen = new Screen(true);
    const quiet = { ...progress(0), activities: [] };
    const silent = { ...progress(0), activities: [{ activity: 'publish', attempt: 1 }] };
    await follow(runOf([quiet, silent], { status: 'cancelled' }), screen);
    expect(screen.text).toContain('bronze');
    expect(screen.text).toContain('publish');
    expect(screen.text).not.toContain('%');
  });
});

it.each<RunResult>([
  { status: 'failed', code: 'SOURCE_CHANGED', message: 'it moved' },
  { status: 'cancelled' },
])('hands over how it ended: $status', async (result) => {
  expect(await follow(runOf([progress(1)], result), new Screen())).toBe(result);
});
