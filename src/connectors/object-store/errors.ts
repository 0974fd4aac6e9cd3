/** What the S3 client throws, as DataLab says it. */
import { DatalabError } from '../../contracts/errors.js';
import type { ObjectNotFoundError } from '../../delta/ports.js';

/** The object is not there. The Delta layer knows it by its name (adapters may not import that room's values). */
export class ObjectMissingError extends Error implements ObjectNotFoundError {
  override readonly name = 'ObjectNotFoundError';
  constructor(
    readonly key: string,
    readonly storeUri: string,
    options?: { cause?: unknown },
  ) {
    super(`no object '${key}' in ${storeUri}`, options);
  }
}

/** Answers that trying again does not change: the bucket is not there, or the keys may not do this. */
const REFUSALS = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'InvalidAccessKeyId',
  'NoSuchBucket',
  'PermanentRedirect',
  'SignatureDoesNotMatch',
  // versitygw says this, with status 404, of a key that it does not know.
  'XAdminUserNotFound',
]);

/** Network errors, by Node's code, after the client's own retries. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
]);

/** What the S3 client threw, by DataLab's code where it is about the service as a whole; else as it came. */
export function storeError(error: unknown, where: string): unknown {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name !== undefined && REFUSALS.has(name)) {
    return new DatalabError('STORE_REFUSED', `${where} refused the request: ${name}: ${message}`, {
      cause: error,
    });
  }
  if (name === 'TimeoutError' || (code !== undefined && AWAY.has(code))) {
    return new DatalabError('STORE_UNAVAILABLE', `${where} did not answer: ${message || code}`, {
      cause: error,
    });
  }
  return error;
}
