/** What the S3 client throws, as DataLab says it. */
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
