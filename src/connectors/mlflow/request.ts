/** One question to MLflow over HTTP, with its refusals as errors that have a code. */
import { z } from 'zod';
import { DatalabError } from '../../contracts/errors.js';

const TIMEOUT_MS = 60_000;

/** Asks the REST interface and holds the answer to what is expected. */
export type Api = <T>(method: string, path: string, schema: z.ZodType<T>, data?: object) => Promise<T>;

class MlflowError extends DatalabError {
  constructor(
    readonly mlflowCode: string,
    message: string,
  ) {
    super('MLFLOW_REFUSED', message);
  }
}

export async function ask<T>(
  base: string,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  data?: object,
): Promise<T> {
  const response = await request(`${base}/api/2.0/mlflow/${path}`, {
    method,
    ...(data && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(data) }),
  });
  const parsed = schema.safeParse(await response.json());
  if (!parsed.success)
    throw new DatalabError(
      'MLFLOW_REFUSED',
      `MLflow's answer to ${path.split('?')[0]} is not what was expected: ${parsed.error.message}`,
    );
  return parsed.data;
}

export async function request(url: string, init: RequestInit): Promise<Response> {
  const where = `${init.method} ${new URL(url).pathname}`;
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error: unknown) => {
      const { cause, message } = error as Error;
      throw new DatalabError(
        'MLFLOW_UNAVAILABLE',
        `${where}: ${cause instanceof Error ? cause.message : message}`,
        { cause: error },
      );
    },
  );
  if (response.ok) return response;
  const text = await response.text();
  const said = z.object({ error_code: z.string(), message: z.string().default('') }).safeParse(parse(text));
  // A server that is starting, overloaded or behind a proxy that lost it.
  if (response.status >= 500 || response.status === 429)
    throw new DatalabError(
      'MLFLOW_UNAVAILABLE',
      `${where} answered ${response.status}: ${text.slice(0, 300)}`,
    );
  const { error_code: code, message } = said.success ? said.data : { error_code: '', message: text };
  throw new MlflowError(code, `${where} answered ${response.status} ${code}: ${message.slice(0, 500)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined where MLflow says that there is no such thing. A missing alias is an INVALID_PARAMETER_VALUE to it. */
export async function orMissing<T>(asking: Promise<T>): Promise<T | undefined> {
  return asking.catch((error: unknown) => {
    if (
      error instanceof MlflowError &&
      /DOES_NOT_EXIST|alias .* not found/i.test(`${error.mlflowCode} ${error.message}`)
    )
      return undefined;
    throw error;
  });
}

export async function orThere(making: Promise<unknown>): Promise<void> {
  await making.catch((error: unknown) => {
    if (!(error instanceof MlflowError) || error.mlflowCode !== 'RESOURCE_ALREADY_EXISTS') throw error;
  });
}
