/** Who is alive: with real processes, and with the texts that /proc would give. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  endGroup,
  identify,
  isAlive,
  isGroupAlive,
  listenerOn,
  listeningInodes,
  parseStat,
} from '../../../src/platform/process.js';

function launch(script: string) {
  const child = spawn('bash', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL');
    } catch {
      // It has ended already.
    }
  });
  return child;
}

test('a program name with spaces and parentheses does not shift the fields', () => {
  const rest = Array.from({ length: 49 }, (_, index) => String(index + 4)).join(' ');
  expect(parseStat(`12 (a) b (c) S ${rest}`)).toEqual({ state: 'S', group: 5, startTicks: 22 });
  expect(parseStat('12 (short) S 1')).toBeUndefined();
});

test('a reused process id is not mistaken for the process that was recorded', async () => {
  const child = launch('echo up; sleep 60');
  await once(child.stdout, 'data');
  const mine = identify(child.pid as number);
  if (!mine) throw new Error('the child is not there');
  expect(isAlive(mine)).toBe(true);
  expect(isAlive({ ...mine, startTicks: mine.startTicks - 1 })).toBe(false);
  expect(isAlive({ ...mine, bootId: 'another boot' })).toBe(false);
  expect(await endGroup({ ...mine, startTicks: mine.startTicks - 1 }, 1)).toBe('gone');
  expect(isAlive(mine)).toBe(true);
});

test('a group that obeys is stopped, with its children; one that does not is killed', async () => {
  const obedient = launch('sleep 61 & echo $!; wait');
  const [line] = (await once(obedient.stdout, 'data')) as [Buffer];
  const grandchild = identify(Number(line.toString()));
  const parent = identify(obedient.pid as number);
  if (!grandchild || !parent) throw new Error('the processes are not there');
  expect(await endGroup(parent, 10)).toBe('stopped');
  await expect.poll(() => isAlive(grandchild)).toBe(false);
  expect(await endGroup(parent, 10)).toBe('gone');

  const stubborn = launch("trap '' TERM; echo up; while :; do sleep 0.1; done");
  await once(stubborn.stdout, 'data');
  const identity = identify(stubborn.pid as number);
  if (!identity) throw new Error('the process is not there');
  expect(await endGroup(identity, 0.3)).toBe('killed');
  expect(isAlive(identity)).toBe(false);
});

test('what a killed leader left behind is part of the group, and ends with it', async () => {
  const leader = launch('sleep 62 & echo $!; wait');
  const [line] = (await once(leader.stdout, 'data')) as [Buffer];
  const child = identify(Number(line.toString()));
  const recorded = identify(leader.pid as number);
  if (!child || !recorded) throw new Error('the processes are not there');
  process.kill(recorded.pid, 'SIGKILL');
  await expect.poll(() => isAlive(recorded)).toBe(false);
  expect(isGroupAlive(recorded)).toBe(true);
  expect(isGroupAlive({ ...recorded, bootId: 'another boot' })).toBe(false);
  expect(await endGroup(recorded, 10)).toBe('stopped');
  expect(isAlive(child)).toBe(false);
  expect(isGroupAlive(recorded)).toBe(false);
});

test('the holder of a port is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(listenerOn(port)).toMatch(new RegExp(`\\(pid ${process.pid}\\)$`));
  server.close();
  await once(server, 'close');
  expect(listenerOn(port)).toBeUndefined();
});

test('only listening sockets on exactly the port count', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1',
    '   1: 0100007F:2328 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 222 1',
    '   2: 0100007F:0023 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1',
  ].join('\n');
  expect(listeningInodes(table, 9000)).toEqual(['111']);
  expect(listeningInodes(table, 35)).toEqual(['333']);
  expect(listeningInodes(table, 40_000)).toEqual([]);
});
