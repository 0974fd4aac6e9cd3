/** Connections to Temporal, and the search attributes that the flows need. */
import { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contracts/flows.js';
import { DatalabError } from '../contracts/errors.js';
import type { Config } from '../config/config.js';

/** A client with its connection; close the connection when done. Throws DatalabError TEMPORAL_UNAVAILABLE. */
export async function connectTemporal(config: Config['temporal']): Promise<Client> {
  try {
    const connection = await Connection.connect({
      address: config.address,
      tls: config.tls,
      connectTimeout: 5000,
      ...(config.apiKey !== undefined && { apiKey: config.apiKey }),
    });
    return new Client({ connection, namespace: config.namespace });
  } catch (error) {
    throw new DatalabError('TEMPORAL_UNAVAILABLE', `no Temporal server answered at ${config.address}`, {
      cause: error,
    });
  }
}

/**
 * The same without a first call: it connects when it is used, and again after every outage. A call that fails is not tried
 * again by itself, for those who ask again anyway: an outage is told at once, and no retry outlives a closed connection.
 */
export function lazyTemporal(config: Config['temporal']): Client {
  const connection = Connection.lazy({
    interceptors: [],
    address: config.address,
    tls: config.tls,
    ...(config.apiKey !== undefined && { apiKey: config.apiKey }),
  });
  return new Client({ connection, namespace: config.namespace });
}

type SearchAttribute = (typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES];

// temporal.api.enums.v1.IndexedValueType, by the name that contracts/flows.ts uses.
const INDEXED_VALUE_TYPE = { KEYWORD: 2, DATETIME: 6 } as const;

/**
 * Registers the flows' search attributes where the namespace lacks them. A flow that sets an unknown attribute would
 * hang, so workers do this before they poll.
 */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const { operatorService } = client.connection as Connection;
  const namespace = client.options.namespace;
  const known = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTES).filter(
    ({ name }) => !(name in (known.customAttributes ?? {})),
  );
  if (missing.length === 0) return;
  await addSearchAttributes(client, missing);
}

/** Registers attributes that the namespace does not have. */
export async function addSearchAttributes(
  client: Client,
  attributes: readonly SearchAttribute[],
): Promise<void> {
  await (client.connection as Connection).operatorService.addSearchAttributes({
    namespace: client.options.namespace,
    searchAttributes: Object.fromEntries(
      attributes.map(({ name, type }) => [name, INDEXED_VALUE_TYPE[type]]),
    ),
  });
}
