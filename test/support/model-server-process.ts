/** A real model server: the compiled command in a process of its own, and clients that ask it without a pause. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT, type Environment } from './worker-process.js';

export class ModelServerProcess {
  readonly lines: string[] = [];
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** Starts one on the port that `env` names, and waits until it answers. */
  static async start(env: Environment): Promise<ModelServerProcess> {
    const child = spawn(process.execPath, [path.join(PROJECT, 'dist', 'cli', 'main.js'), 'model-server'], {
      cwd: PROJECT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ModelServerProcess(child, `http://127.0.0.1:${env['DATALAB_MODEL_SERVER_PORT']}`);
    child.stderr?.on('data', (bytes: Buffer) => server.lines.push(bytes.toString()));
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the model server ended:\n${server.lines.join('')}`);
      const answer = await fetch(`${server.url}/health`).catch(() => undefined);
      if (answer?.ok) return server;
      await sleep(50);
    }
  }

  async get<T>(route: string): Promise<T> {
    return (await (await fetch(`${this.url}${route}`)).json()) as T;
  }

  async predict(body: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await exited;
  }
}

/** What clients got that asked from the first moment to the last. */
export interface Load {
  readonly answers: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** Has `clients` ask again and again while `body` does what may not be noticed. */
export async function underLoad(
  server: ModelServerProcess,
  request: object,
  body: () => Promise<void>,
  clients = 4,
): Promise<Load> {
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let asking = true;
  const ask = async (): Promise<void> => {
    while (asking) {
      try {
        const { status, body: said } = await server.predict(request);
        if (status !== 200) failures.push(`${status} ${JSON.stringify(said)}`);
        const version = String(said['version']);
        answers.set(version, (answers.get(version) ?? 0) + 1);
      } catch (error) {
        failures.push(String((error as Error).cause ?? error));
      }
    }
  };
  const all = Array.from({ length: clients }, ask);
  try {
    await body();
  } finally {
    asking = false;
    await Promise.all(all);
  }
  return { answers, failures };
}
