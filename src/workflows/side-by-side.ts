/** Many pieces of work, a bounded number at a time. */

/** Runs `count` pieces of work, so many at a time, begun in order. The first error ends it. */
export async function sideBySide(
  width: number,
  count: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
