/** What `doctor` asks the machine: Node, memory, tools, ports, disks, extended attributes. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { isFree } from '../../platform/ports.js';
import { listenerOn } from '../../platform/process.js';
import { livingRecord } from '../../platform/record.js';
import { SERVICE_NAMES, type ServiceName } from '../../platform/services/definition.js';
import { SERVICES } from '../../platform/services/index.js';
import { PORTS, type PortName, type Settings } from '../../platform/settings.js';
import { bytes } from '../text.js';
import { messageOf, note, ok, problem, type Finding } from './finding.js';

const NODE_MINIMUM = [20, 19] as const;
/** Below the first nothing starts, below the second it will not for long. */
const FREE_BYTES = { needed: 512 * 2 ** 20, comfortable: 5 * 2 ** 30 };

export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1]);
  const wanted = NODE_MINIMUM.join('.');
  return enough
    ? ok('Node', `version ${version}`)
    : problem('Node', `version ${version} is too old: install ${wanted} or newer`);
}

export function checkMemory(wantedGb: number, total: number = totalmem()): Finding {
  const gb = (total / 2 ** 30).toFixed(1);
  return total >= wantedGb * 2 ** 30
    ? ok('memory', `${gb} GiB; one heavy step may take ${wantedGb}`)
    : note(
        'memory',
        `${gb} GiB, and one heavy step may take ${wantedGb}: lower limits.etl.memoryGb in datalab.yaml`,
      );
}

/** The services' tools. Without Temporal nothing runs; without the others less does. */
export function checkTools(settings: Settings): Finding[] {
  return SERVICE_NAMES.map((name) => {
    const { title } = SERVICES[name];
    try {
      return ok(`tool of ${title}`, SERVICES[name].command(settings).file);
    } catch (error) {
      const said = messageOf(error);
      return name === 'temporal' || name === 'worker'
        ? problem(`tool of ${title}`, said)
        : note(`tool of ${title}`, said);
    }
  });
}

/** Every port is held by our service or free. */
export function checkPorts(settings: Settings): Promise<Finding[]> {
  const asked = SERVICE_NAMES.flatMap((service) =>
    SERVICES[service].ports.map((port) => checkPort(service, port, settings)),
  );
  return Promise.all(asked);
}

async function checkPort(service: ServiceName, name: PortName, settings: Settings): Promise<Finding> {
  const port = settings.ports[name];
  const check = `port ${port} (${SERVICES[service].title})`;
  if (livingRecord(settings.stateDir, service)?.ports[name] === port) return ok(check, 'held by the service');
  const move = `set ${PORTS[name].variable} to another port`;
  try {
    if (await isFree(port)) return ok(check, 'free');
  } catch (error) {
    return problem(check, `cannot be listened on (${messageOf(error)}): ${move}`);
  }
  return problem(check, `in use by ${listenerOn(port) ?? 'another program'}: stop that, or ${move}`);
}

/** Room and the right to write, at the folder or at what is there of its path. */
export function checkFolder(check: string, folder: string, variable: string): Finding {
  const there = existing(folder);
  try {
    accessSync(there, constants.W_OK);
  } catch {
    return problem(check, `${there} may not be written to: set ${variable} to another folder`);
  }
  const { blocks, bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  // A file system without a fixed size reports none at all.
  if (blocks === 0 || free >= FREE_BYTES.comfortable) return ok(check, `${folder}, ${bytes(free)} free`);
  const said = `${folder} has ${bytes(free)} free: free space, or set ${variable} to a folder on another disk`;
  return free < FREE_BYTES.needed ? problem(check, said) : note(check, said);
}

function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(path.dirname(folder));
}

/** Whether the S3 gateway can keep metadata in extended attributes; it finds out by itself and can do without. */
export async function checkAttributes(settings: Settings): Promise<Finding> {
  const check = 'extended attributes';
  let scratch: string | undefined;
  try {
    scratch = mkdtempSync(path.join(existing(settings.stateDir), '.doctor-'));
    const file = path.join(scratch, 'file');
    writeFileSync(file, '');
    await setAttribute(file);
    return ok(check, 'supported by the disk of the state folder');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return ok(check, 'not asked (neither setfattr nor python3 is installed); the S3 gateway finds out');
    return note(
      check,
      'not supported: the S3 gateway keeps its metadata in a folder beside the data instead',
    );
  } finally {
    if (scratch) rmSync(scratch, { recursive: true, force: true });
  }
}

/** Rejects with ENOENT where no program can be asked. */
async function setAttribute(file: string): Promise<void> {
  const run = promisify(execFile);
  try {
    await run('setfattr', ['-n', 'user.datalab', '-v', '1', file]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await run('python3', ['-c', 'import os, sys; os.setxattr(sys.argv[1], "user.datalab", b"1")', file]);
  }
}
