/** TCP ports on this machine. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatalabError } from '../contracts/errors.js';
import { listenerOn } from './process.js';
import { HOST, PORTS, type PortName, type Settings } from './settings.js';

/** Whether a server could listen on the port now. Throws for a port that this user may not have. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Throws DatalabError PORT_TAKEN, naming the holder and the variable that moves the port, unless the port is free. */
export async function assertFree(service: string, name: PortName, settings: Settings): Promise<void> {
  const port = settings.ports[name];
  const { variable } = PORTS[name];
  let free: boolean;
  try {
    free = await isFreeSoon(port);
  } catch (error) {
    throw new DatalabError(
      'PORT_TAKEN',
      `${service} cannot listen on port ${port} (${(error as Error).message}): set ${variable} to another port`,
      { cause: error },
    );
  }
  if (free) return;
  const holder = listenerOn(port) ?? 'another program';
  throw new DatalabError(
    'PORT_TAKEN',
    `port ${port}, wanted by ${service}, is in use by ${holder}: stop that, or set ${variable} to a free port`,
  );
}

/** A process that ends is gone a moment before the last of its threads gives its port back. */
async function isFreeSoon(port: number): Promise<boolean> {
  for (let round = 1; round < 10; round++) {
    if (await isFree(port)) return true;
    if (listenerOn(port) !== undefined) return false;
    await sleep(100);
  }
  return isFree(port);
}

/** Distinct free ports, below the range that the kernel gives to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < 1000; tries++) {
    const port = 15_000 + Math.floor(Math.random() * 16_000);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size < count) throw new Error(`no ${count} free ports between 15000 and 31000`);
  return [...found];
}
