/** Memory of a process of this machine, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** Often enough that what is taken in between is little beside a budget: a process fills about 1 GiB in a second. */
const INTERVAL_MS = 100;
const OWN = /^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm;

/**
 * MiB that the process has written, in memory or swapped out. Programs and libraries that it only maps are not among
 * them: they are shared, and the kernel drops them where memory is short. 0 where the process is gone or nothing is counted.
 */
export function memoryMbOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return [...status.matchAll(OWN)].reduce((sum, [, kb]) => sum + Number(kb), 0) / 1024;
  } catch {
    return 0;
  }
}

/** Calls `over` with the MiB taken each time they are found to be more than the limit. Returns what ends the watching. */
export function watchMemory(pid: number, limitMb: number, over: (usedMb: number) => void): () => void {
  const timer = setInterval(() => {
    const usedMb = memoryMbOf(pid);
    if (usedMb > limitMb) over(usedMb);
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
