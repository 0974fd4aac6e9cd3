/** A real worker: the compiled program in a process of its own, against the services of the test run. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export type Environment = Readonly<Record<string, string>>;

/** Environment of a lake of its own in the shared stack: own prefix, own scratch, own namespace. */
export interface OwnLake {
  readonly env: Environment;
  readonly lakeUri: string;
  remove(): Promise<void>;
}

export async function ownLake(stackEnv: Environment, name: string, namespace: string): Promise<OwnLake> {
  const folder = await mkdtemp(path.join(tmpdir(), 'datalab-e2e-'));
  const lakeUri = `s3://datalab/${name}-${path.basename(folder)}`;
  return {
    lakeUri,
    env: {
      ...stackEnv,
      DATALAB_LAKE_URI: lakeUri,
      DATALAB_CACHE_DIRECTORY: path.join(folder, 'cache'),
      DATALAB_SCRATCH_DIRECTORY: path.join(folder, 'scratch'),
      TEMPORAL_NAMESPACE: namespace,
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export class WorkerProcess {
  readonly lines: string[] = [];
  private constructor(private readonly child: ChildProcess) {}

  /** Starts a worker and waits until it polls. */
  static async start(
    env: Environment,
    pools: readonly string[] = ['all'],
    project = PROJECT,
  ): Promise<WorkerProcess> {
    const program = path.join(PROJECT, 'dist', 'worker.js');
    if (!existsSync(program)) throw new Error('dist/worker.js is missing: run `npm run build`');
    const child = spawn(process.execPath, [program, ...pools.flatMap((pool) => ['--pool', pool])], {
      cwd: project,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const worker = new WorkerProcess(child);
    const ready = new Promise<void>((resolve, reject) => {
      const take = (line: string): void => {
        worker.lines.push(line);
        if (line.includes('"worker ready"')) resolve();
      };
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', take);
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', take);
      child.on('exit', (code) =>
        reject(new Error(`the worker ended with ${code}:\n${worker.lines.join('\n')}`)),
      );
    });
    await ready;
    return worker;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGKILL: no handler runs, nothing is tidied. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await exited;
  }
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and keeps what it says. */
export function runCommand(
  program: string,
  args: readonly string[],
  env: Environment,
  project = PROJECT,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      cwd: project,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** `datalab …`, as a person would run it, in the folder of a project. */
export function datalab(
  args: readonly string[],
  env: Environment,
  project = PROJECT,
): Promise<CommandResult> {
  return runCommand(process.execPath, [path.join(PROJECT, 'dist', 'cli', 'main.js'), ...args], env, project);
}
