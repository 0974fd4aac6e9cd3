/**
 * The seed of a property test. It is the same from run to run, so that a run says something of the change that it tests;
 * FAST_CHECK_SEED tries others, and is printed with every failure.
 */
export function seedOf(usual: number): number {
  return Number(process.env['FAST_CHECK_SEED'] ?? usual);
}
