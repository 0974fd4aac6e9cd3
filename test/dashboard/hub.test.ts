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
