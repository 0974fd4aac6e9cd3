/** The model server over HTTP, for those who deploy: does it take a version, what does it serve. */
import { z } from 'zod';
import { DatalabError, ERRORS, type ErrorCode } from '../contracts/errors.js';
import type { ServedModel } from '../contracts/serving.js';

const TIMEOUT_MS = 60_000;
const problemSchema = z.object({ code: z.string(), message: z.string() });
const healthSchema = z.object({ product: z.literal('datalab'), service: z.literal('model-server') });

export type ModelServerClient = ReturnType<typeof openModelServer>;

/**
 * A client of the server at `url`. `null` is an answer: nothing listens there, or what does is no model server of ours.
 * Throws MODEL_SERVER_UNAVAILABLE, or what the server says.
 */
export function openModelServer(url: string) {
  const here = async (): Promise<boolean> => {
    const response = await call('GET', `${url}/health`);
    if (!response) return false;
    return healthSchema.safeParse(await response.json().catch(() => null)).success;
  };
  const post = async <T>(path: string, body: object): Promise<T | null> => {
    if (!(await here())) return null;
    const response = await call('POST', `${url}${path}`, body);
    if (!response) return null;
    if (!response.ok) throw await refusal(response);
    return (await response.json()) as T;
  };
  return {
    /** Loads a version beside the one that is served, and tries it. */
    check: (model: string, version: string) =>
      post<{ readonly version: string }>(`/models/${model}/check`, { version }),
    /** Has it look at the alias now. Returns what it serves then. */
    reload: (model: string) => post<ServedModel>(`/models/${model}/reload`, {}),
  };
}

async function call(method: string, url: string, body?: object): Promise<Response | null> {
  try {
    return await fetch(url, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    if (cause?.code === 'ECONNREFUSED' || cause?.code === 'ENOTFOUND') return null;
    throw new DatalabError('MODEL_SERVER_UNAVAILABLE', `${method} ${url}: ${cause?.message ?? message}`, {
      cause: error,
    });
  }
}

async function refusal(response: Response): Promise<DatalabError> {
  const said = problemSchema.safeParse(await response.json().catch(() => null));
  const where = `the model server answered ${response.status}`;
  if (!said.success) return new DatalabError('MODEL_SERVER_UNAVAILABLE', where);
  const { code, message } = said.data;
  const known = code in ERRORS ? (code as ErrorCode) : 'MODEL_SERVER_UNAVAILABLE';
  return new DatalabError(known, `${where}: ${message}`);
}
