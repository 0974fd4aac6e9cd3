/** `datalab flows list | start`: any flow by its name, with its input as JSON. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { FLOW_INPUTS, type RunHandle } from '../../client/index.js';
import { DatalabError } from '../../contracts/errors.js';
import { EXIT } from '../exit.js';
import { print, withSession } from '../session.js';
import { table } from '../text.js';

interface StartFlags {
  readonly input: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

export function addFlows(program: Command): void {
  const flows = program.command('flows').description('Flows by name, with any input that they take');
  flows
    .command('list')
    .description('the flows that can be started, with the keys of their input')
    .option('--json', 'print JSON: the JSON Schema of each input')
    .action(({ json }: { json?: boolean }) => list(json));
  flows
    .command('start')
    .argument('<flow>', 'as in `datalab flows list`')
    .description('start a flow with an input of its own')
    .option('--input <json>', 'its input as JSON, or - to read it from standard input', '{}')
    .option('--wait', 'wait for its end; exit code 1 when it fails')
    .option('--json', 'print JSON')
    .action((flow: string, flags: StartFlags) => start(flow, flags));
}

function list(json: boolean | undefined): void {
  const schemas = Object.entries(FLOW_INPUTS).map(([flow, schema]) => ({
    flow,
    input: z.toJSONSchema(schema, { io: 'input' }) as {
      properties?: Record<string, unknown>;
      oneOf?: ReadonlyArray<{ properties?: Record<string, unknown> }>;
      required?: readonly string[];
    },
  }));
  const rows = schemas.map(({ flow, input }) => {
    const keys = [input, ...(input.oneOf ?? [])].flatMap(({ properties = {} }) => Object.keys(properties));
    const required = new Set(input.required);
    return [flow, [...new Set(keys)].map((key) => (required.has(key) ? key : `[${key}]`)).join(' ')];
  });
  print(json, schemas, table(['flow', 'input'], rows));
}

async function start(flow: string, { input, wait, json }: StartFlags): Promise<void> {
  const given = parseInput(input === '-' ? await readFile('/dev/stdin', 'utf8') : input);
  await withSession(async ({ datalab }) => {
    await tellStarted(await datalab.startFlow(flow, given), { json, wait });
  });
}

/** Names a run of any flow, or waits for its end; its summary is only known to be one as JSON. */
export async function tellStarted(
  run: RunHandle,
  { json, wait }: { readonly json?: boolean | undefined; readonly wait?: boolean | undefined },
): Promise<void> {
  const { workflowId, runId = '' } = run;
  if (!wait) return print(json, { workflowId, runId }, `started ${workflowId}`);
  const ending = await run.result();
  const said = ending.status === 'failed' ? `failed (${ending.code}): ${ending.message}` : ending.status;
  print(json, { workflowId, ...ending }, `${workflowId}: ${said}`);
  if (ending.status !== 'completed') process.exitCode = EXIT.failed;
}

function parseInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DatalabError('INPUT_INVALID', `--input is no JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
