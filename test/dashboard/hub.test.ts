/** One poll of each source for all browsers: who looks later gets what was measured, and nobody who looks costs nothing. */
import { expect, it } from 'vitest';
import type { DashboardDeps } from '../../src/dashboard/server/index.js';
import { Hub, type LiveEvent } from '../../src/dashboard/server/hub.js';
import { Section } from '../../src/dashboard/server/measured.js';

it('asks each source once, however many browsers look, and none while nobody does', async () => {
  const hub = new Hub({ lake: {} } as Partial<DashboardDeps> as DashboardDeps);
  const asked: string[] = [];
  const names = Object.keys(hub.sections);
  for (const name of names) {
    const section = new Section(() => (asked.push(name), Promise.resolve(null)), 3_600_000);
    Object.assign(hub.sections, { [name]: section });
  }
  expect(asked).toEqual([]);
  const heard: string[][] = [[], [], []];
  const listen = (browser: number) =>
    hub.listen(({ section }: LiveEvent) => void heard[browser]?.push(section));
  const ends = [listen(0), listen(1)];
  await expect.poll(() => heard[1]?.length).toBe(names.length);
  ends.push(listen(2));
  expect(heard.map((sections) => [...sections].sort())).toEqual(Array(3).fill([...names].sort()));
  expect([...asked].sort()).toEqual([...names].sort());
  ends.forEach((end) => end());
});

it('shows a change that was made while its source was being asked', async () => {
  const hub = new Hub({ lake: {} } as Partial<DashboardDeps> as DashboardDeps);
  let paused = false;
  const asks: Array<() => void> = [];
  const section = new Section(async () => {
    const seen = paused;
    await new Promise<void>((answer) => asks.push(answer));
    return seen;
  }, 3_600_000);
  const idle = new Section(() => Promise.resolve(null), 3_600_000);
  for (const name of Object.keys(hub.sections))
    Object.assign(hub.sections, { [name]: name === 'flows' ? section : idle });
  const heard: unknown[] = [];
  const end = hub.listen(({ section: name, state }) => {
    if (name === 'flows') heard.push(state.value);
  });
  await expect.poll(() => asks.length).toBe(1);
  paused = true;
  hub.touch('flows');
  hub.touch('flows');
  asks[0]?.();
  await expect.poll(() => asks.length).toBe(2);
  asks[1]?.();
  await expect.poll(() => heard.at(-1)).toBe(true);
  expect(asks).toHaveLength(2);
  end();
});
