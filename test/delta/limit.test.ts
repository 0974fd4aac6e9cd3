import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { mapLimited } from '../../src/delta/limit.js';

it('keeps the order of the items, and never more calls under way than asked', async () => {
  let now = 0;
  let most = 0;
  const doubled = await mapLimited([5, 1, 4, 2, 3], 2, async (item, index) => {
    most = Math.max(most, ++now);
    await wait(item);
    now--;
    return [index, item * 2];
  });
  expect(doubled).toEqual([
    [0, 10],
    [1, 2],
    [2, 8],
    [3, 4],
    [4, 6],
  ]);
  expect(most).toBe(2);
  expect(await mapLimited([], 3, () => Promise.reject(new Error('never asked')))).toEqual([]);
});

it('begins nothing after a failure, and waits for what is under way', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 1) throw new Error('one is wrong');
    await wait(30);
    ended.push(item);
    throw new Error('and so is another, later');
  };
  await expect(mapLimited([0, 1, 2, 3], 2, work)).rejects.toThrow('one is wrong');
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([0]);
});
