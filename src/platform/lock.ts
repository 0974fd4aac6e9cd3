/** One start or stop at a time per state folder. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatalabError } from '../contracts/errors.js';
import { identify, isAlive, type ProcessIdentity } from './process.js';

/**
 * Runs `work` while no other process does the like on the folder. Waits for a living holder up to `waitSeconds`, then
 * throws DatalabError STATE_INVALID; the lock of a process that is gone is taken over. Two calls in one process exclude
 * each other too.
 */
export async function withLock<T>(stateDir: string, waitSeconds: number, work: () => Promise<T>): Promise<T> {
  const folder = path.join(stateDir, 'run');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'lock');
  const mine = path.join(folder, `lock.${process.pid}.${Math.random().toString(36).slice(2)}`);
  writeFileSync(mine, JSON.stringify(identify(process.pid)));
  try {
    await acquire(file, mine, waitSeconds);
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

async function acquire(file: string, mine: string, waitSeconds: number): Promise<void> {
  const deadline = Date.now() + waitSeconds * 1000;
  while (!tryLink(mine, file)) {
    const holder = readHolder(file);
    if (holder === 'dead') {
      takeAside(file, `${mine}.old`);
    } else if (Date.now() > deadline) {
      const who = holder === 'gone' ? 'another command' : `pid ${holder.pid}`;
      throw new DatalabError(
        'STATE_INVALID',
        `${file} is held by ${who}: another start or stop is under way`,
      );
    } else {
      await sleep(100);
    }
  }
}

/** A hard link fails when the name exists, and the content is there from the first moment. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): ProcessIdentity | 'dead' | 'gone' {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
    return isAlive(holder) ? holder : 'dead';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : 'dead';
  }
}

/** Moves a dead lock away; when a living holder took it in between, puts that one back. */
function takeAside(file: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch {
    return; // Somebody else was faster.
  }
  if (readHolder(aside) !== 'dead') tryLink(aside, file);
  rmSync(aside, { force: true });
}
