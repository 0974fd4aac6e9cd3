/** What the platform needs to know of a service to run it. */
import type { PortName, Settings } from '../settings.js';

export const SERVICE_NAMES = [
  'temporal',
  's3',
  'kafka',
  'mlflow',
  'worker',
  'model-server',
  'dashboard',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A program with its arguments. Secrets go into `env`, never into `args`, which every user of the machine can read. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ServiceDefinition {
  readonly name: ServiceName;
  /** For people: `S3 gateway`. */
  readonly title: string;
  /** A required service that is down makes `health` fail; one that is left out does not. */
  readonly required: boolean;
  readonly ports: readonly PortName[];
  /** Services that must be ready before this one starts. */
  readonly needs: readonly ServiceName[];
  readonly startSeconds: number;
  readonly stopSeconds: number;
  /** How to run it. Throws DatalabError TOOL_MISSING. */
  command(settings: Settings): Command;
  /** What it runs from, where that can go stale under a running service. */
  version?(settings: Settings): string;
  /** Makes its data folder ready; may run programs. Repeating it changes nothing. */
  prepare?(settings: Settings): Promise<void>;
  /** Asks the service in its own protocol. Returns one line about it, throws when it does not answer. */
  probe(settings: Settings): Promise<string>;
  /** Ready to be probed, judged by what it has logged since its start; absent: always. */
  readyInLog?(log: string): boolean;
  /** Creates what users of the service expect to find. Repeating it changes nothing. */
  furnish?(settings: Settings): Promise<void>;
  /** After an early exit: changes what can be changed and returns true to be started once more. */
  recover?(settings: Settings, log: string): boolean;
}
