/** Bounded parallelism. */

/**
 * Maps with at most `width` calls under way; results in the order of the items. After the first failure no new call is
 * begun; those under way are waited for, so that nothing works on when this rejects with it. A call that is worth
 * stopping early gets a signal of its own from whoever asks.
 */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (failures.length === 0 && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index] as Item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}
