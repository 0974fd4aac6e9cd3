/** Changing what a table is, not what it holds: columns, properties, constraints. */
import type { Action, Metadata, Protocol } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { CONSTRAINT_PREFIX, constraintsOf, requireConstraints } from '../constraints.js';
import { changeTableActions } from '../create.js';
import { DeltaError } from '../errors.js';
import { writerFeatures } from '../protocol.js';
import type { StructField } from '../schema.js';
import { requireSettable, tableProperties } from '../table-properties.js';
import {
  inWorkspace,
  requireTable,
  requireWritable,
  runOperation,
  type OperationOptions,
  type OperationReport,
} from './run.js';

/** Adds columns at the end; rows that are there have NULL in them. Throws DELTA_SCHEMA_INVALID. */
export function addColumns(
  table: TableHandle,
  fields: readonly StructField[],
  options: OperationOptions = {},
): Promise<OperationReport> {
  return change(table, options, 'ADD COLUMNS', { columns: JSON.stringify(fields) }, (base) => {
    const required = fields.find(({ nullable }) => !nullable);
    if (required) {
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `the new column '${required.name}' must be nullable: rows lack it`,
      );
    }
    return changeTableActions(base, {
      schema: { ...base.schema, fields: [...base.schema.fields, ...fields] },
    });
  });
}

/** Sets properties, and removes those that are null. Throws DELTA_PROPERTY_INVALID. */
export function setProperties(
  table: TableHandle,
  properties: Readonly<Record<string, string | null>>,
  options: OperationOptions = {},
): Promise<OperationReport> {
  const parameters = { properties: JSON.stringify(properties) };
  return change(table, options, 'SET TBLPROPERTIES', parameters, (base) => {
    requireSettable(Object.keys(properties));
    const configuration = withProperties(base, properties);
    tableProperties(configuration);
    return [{ metaData: { ...base.metadata, configuration } }];
  });
}

/** Adds a CHECK constraint in Spark's SQL, which the rows that are there must satisfy. */
export function addConstraint(
  table: TableHandle,
  name: string,
  expression: string,
  options: OperationOptions = {},
): Promise<OperationReport> {
  return runOperation(table, options, async (found, uploads) => {
    const base = requireTable(found, table);
    requireWritable(base, table, 'append');
    const key = `${CONSTRAINT_PREFIX}${name.toLowerCase()}`;
    if (base.metadata.configuration[key] === expression) return undefined;
    if (base.metadata.configuration[key] !== undefined) {
      throw new DeltaError('DELTA_PROPERTY_INVALID', `${table.store.uri} has a constraint '${name}' already`);
    }
    const metadata: Metadata = {
      ...base.metadata,
      configuration: withProperties(base, { [key]: expression }),
    };
    const constraints = constraintsOf(
      { schema: base.schema, metadata: { configuration: { [key]: expression } } },
      table.store.uri,
    );
    await inWorkspace(
      table,
      uploads,
      { base, files: base.files.toArray(), signal: options.signal },
      ({ session, target }) => requireConstraints(session, target, constraints, table.store.uri),
    );
    const protocol = withCheckConstraints(base.protocol);
    return {
      actions: [...(protocol ? [{ protocol }] : []), { metaData: metadata }],
      operation: 'ADD CONSTRAINT',
      parameters: { name, expr: expression },
      // A row that comes meanwhile was not checked.
      read: 'table',
    };
  });
}

/** Removes a CHECK constraint. */
export function dropConstraint(
  table: TableHandle,
  name: string,
  options: OperationOptions = {},
): Promise<OperationReport> {
  return change(table, options, 'DROP CONSTRAINT', { name }, (base) => {
    const key = `${CONSTRAINT_PREFIX}${name.toLowerCase()}`;
    if (base.metadata.configuration[key] === undefined) return [];
    return [{ metaData: { ...base.metadata, configuration: withProperties(base, { [key]: null }) } }];
  });
}

function change(
  table: TableHandle,
  options: OperationOptions,
  operation: string,
  parameters: Readonly<Record<string, unknown>>,
  actionsOf: (base: Snapshot) => Action[],
): Promise<OperationReport> {
  return runOperation(table, options, (found) => {
    const base = requireTable(found, table);
    requireWritable(base, table, 'append');
    const actions = actionsOf(base);
    return Promise.resolve(
      actions.length === 0 ? undefined : { actions, operation, parameters, read: 'nothing' as const },
    );
  });
}

function withProperties(
  { metadata }: Snapshot,
  properties: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const merged: Record<string, string | null> = { ...metadata.configuration, ...properties };
  return Object.fromEntries(
    Object.entries(merged).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

const CHECKS_LEGACY_WRITER = 3;

/** The protocol with the feature, or undefined where it has it. */
function withCheckConstraints(protocol: Protocol): Protocol | undefined {
  if (writerFeatures(protocol).includes('checkConstraints')) return undefined;
  return protocol.writerFeatures
    ? { ...protocol, writerFeatures: [...protocol.writerFeatures, 'checkConstraints'] }
    : { ...protocol, minWriterVersion: CHECKS_LEGACY_WRITER };
}
