/** The longest time that a probe may take. */
import { DatalabError } from '../../contracts/errors.js';

/**
 * The work's result, or PROBE_TIMEOUT once so many seconds are over: the cycle goes on without the figures. What the probe
 * still waits for is left to its own limits, and its answer comes to nothing.
 */
export async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DatalabError('PROBE_TIMEOUT', `the probe did not end within ${seconds} s`)),
      seconds * 1000,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
