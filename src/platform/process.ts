/** Operating system processes: who is alive, and whether it is still the one that we started. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Names one process for good: a process id is reused, its start time within one boot is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** The identity of a living process, or undefined where there is none (a zombie counts as gone). */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  if (stat === undefined || ENDED.has(stat.state)) return undefined;
  return { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Whether the process that was recorded still runs; false when another one has its id now. */
export function isAlive(recorded: ProcessIdentity): boolean {
  const now = identify(recorded.pid);
  return now !== undefined && now.startTicks === recorded.startTicks && now.bootId === recorded.bootId;
}

/**
 * Whether anything of the group that the recorded process led still runs: children may outlive it, and a process that was
 * killed still holds its ports while the last of its threads waits for a disk.
 */
export function isGroupAlive(recorded: ProcessIdentity): boolean {
  if (isAlive(recorded)) return true;
  // An id is not given out again while a group has it for its name.
  if (identify(recorded.pid) !== undefined || recorded.bootId !== bootId()) return false;
  return list('/proc').some((name) => {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat?.group !== recorded.pid || stat.startTicks < recorded.startTicks) return false;
    return !ENDED.has(stat.state) || hasThreads(Number(name));
  });
}

/** State, process group and start time out of /proc/<pid>/stat. A program's name may hold spaces and parentheses. */
export function parseStat(stat: string): { state: string; group: number; startTicks: number } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = Number(fields[19]);
  return state && Number.isFinite(startTicks) ? { state, group: Number(fields[2]), startTicks } : undefined;
}

/**
 * Ends a process group, also one whose leader is gone: asks, waits up to `graceSeconds`, then forces. Returns how it went;
 * `gone` when nothing of it was running. Never signals a process that only reuses the id.
 */
export async function endGroup(
  recorded: ProcessIdentity,
  graceSeconds: number,
): Promise<'gone' | 'stopped' | 'killed'> {
  if (!isGroupAlive(recorded)) return 'gone';
  signalGroup(recorded.pid, 'SIGTERM');
  if (await waitGone(recorded, graceSeconds)) return 'stopped';
  signalGroup(recorded.pid, 'SIGKILL');
  await waitGone(recorded, 10);
  return 'killed';
}

/** The program that listens on a local TCP port, where this user may know it: `java (pid 12)`. */
export function listenerOn(port: number): string | undefined {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(read(file) ?? '', port)),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const holds = list(`/proc/${pid}/fd`).some((fd) =>
      inodes.has(socketInode(`/proc/${pid}/fd/${fd}`) ?? ''),
    );
    if (holds) return `${read(`/proc/${pid}/comm`)?.trim() ?? 'a program'} (pid ${pid})`;
  }
  return undefined;
}

/** Inodes of the sockets in state LISTEN on the port, out of the text of /proc/net/tcp. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .flatMap((fields) => fields[9] ?? []);
}

const ENDED: ReadonlySet<string> = new Set(['Z', 'X']);

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function statOf(pid: number): ReturnType<typeof parseStat> {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : parseStat(stat);
}

/** Whether a thread of the process still runs although its first one has ended. */
function hasThreads(pid: number): boolean {
  return list(`/proc/${pid}/task`).some((thread) => {
    const stat = read(`/proc/${pid}/task/${thread}/stat`);
    const state = stat === undefined ? undefined : parseStat(stat)?.state;
    return state !== undefined && !ENDED.has(state);
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function waitGone(recorded: ProcessIdentity, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (isGroupAlive(recorded)) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // The process ended, or belongs to somebody else.
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function socketInode(file: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(file))?.[1];
  } catch {
    return undefined;
  }
}
