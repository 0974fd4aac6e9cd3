/** What every row of a table must satisfy: NOT NULL, CHECK constraints, invariants. */
import type { Snapshot } from './api.js';
import { quoteName } from './checkpoint-parquet.js';
import { DeltaError } from './errors.js';
import { translateConstraint } from './expression/spark-constraint.js';
import type { Engine, EngineSession } from './ports.js';
import { someType } from './schema-json.js';
import type { DataType, StructField, StructType } from './schema.js';

export const CONSTRAINT_PREFIX = 'delta.constraints.';
const INVARIANTS = 'delta.invariants';

/** One condition, as the engine evaluates it. Only TRUE satisfies it. */
export interface Constraint {
  readonly name: string;
  readonly sql: string;
  /** The column of which it says no more than that it is never NULL. */
  readonly filled?: string;
}

/** What constraints are read from. */
export type Constrained = Pick<Snapshot, 'schema'> & {
  readonly metadata: Pick<Snapshot['metadata'], 'configuration'>;
};

/** All constraints of the table. Throws DELTA_WRITE_UNSUPPORTED where one cannot be evaluated here. */
export function constraintsOf({ schema, metadata }: Constrained, where: string): Constraint[] {
  const checks = Object.entries(metadata.configuration)
    .filter(([key]) => key.startsWith(CONSTRAINT_PREFIX))
    .map(([key, text]) => translated(`CHECK ${key.slice(CONSTRAINT_PREFIX.length)}`, text, schema, where));
  return [...notNull(schema.fields, where), ...invariants(schema, where), ...checks];
}

function translated(name: string, text: string, schema: StructType, where: string): Constraint {
  const result = translateConstraint(text, schema);
  if ('sql' in result) return { name: `${name} (${text})`, sql: result.sql };
  throw new DeltaError(
    'DELTA_WRITE_UNSUPPORTED',
    `${where} has the constraint ${name} (${text}), of which ${result.refused} cannot be evaluated here`,
  );
}

/** NOT NULL columns, members of structs included: a member may be absent only with its struct. */
function notNull(fields: readonly StructField[], where: string, parent = ''): Constraint[] {
  return fields.flatMap((field) => {
    const path = parent === '' ? quoteName(field.name) : `${parent}.${quoteName(field.name)}`;
    const present = `${path} IS NOT NULL`;
    const own: Constraint[] = field.nullable
      ? []
      : [
          {
            name: `NOT NULL ${path}`,
            sql: parent === '' ? present : `(${parent} IS NULL OR ${present})`,
            ...(parent === '' ? { filled: field.name } : {}),
          },
        ];
    return [...own, ...within(field.type, path, where)];
  });
}

function within(type: DataType, path: string, where: string): Constraint[] {
  if (typeof type === 'string') return [];
  if (type.type === 'struct') return notNull(type.fields, where, path);
  const elements = type.type === 'array' ? [type.elementType] : [type.keyType, type.valueType];
  const deep = elements.some((element) =>
    someType(
      { type: 'struct', fields: [{ name: '', type: element, nullable: true, metadata: {} }] },
      (inner) =>
        typeof inner !== 'string' && inner.type === 'struct'
          ? inner.fields.some((field) => !field.nullable)
          : false,
    ),
  );
  if (deep) {
    throw new DeltaError(
      'DELTA_WRITE_UNSUPPORTED',
      `${where} has a NOT NULL column inside the list or map ${path}, which cannot be checked here`,
    );
  }
  const filled = type.type === 'array' ? !type.containsNull : !type.valueContainsNull;
  if (!filled) return [];
  const values = type.type === 'array' ? path : `map_values(${path})`;
  const sql = `coalesce(len(list_filter(${values}, lambda x: x IS NULL)), 0) = 0`;
  return [{ name: `NOT NULL inside ${path}`, sql }];
}

function invariants(schema: StructType, where: string): Constraint[] {
  return schema.fields.flatMap((field) => {
    const text = field.metadata[INVARIANTS];
    if (typeof text !== 'string') return [];
    let expression: unknown;
    try {
      expression = (JSON.parse(text) as { expression?: { expression?: unknown } }).expression?.expression;
    } catch {
      expression = undefined;
    }
    if (typeof expression === 'string') {
      return [translated(`invariant of ${field.name}`, expression, schema, where)];
    }
    throw new DeltaError(
      'DELTA_WRITE_UNSUPPORTED',
      `${where} has an invariant of column '${field.name}' that cannot be understood: ${text}`,
    );
  });
}

/**
 * Counts the rows of a relation that break a constraint. Throws DELTA_CONSTRAINT_VIOLATED naming each with its count,
 * DELTA_WRITE_UNSUPPORTED where the engine cannot evaluate one.
 */
export async function requireConstraints(
  session: EngineSession,
  relation: string,
  constraints: readonly Constraint[],
  where: string,
): Promise<void> {
  if (constraints.length === 0) return;
  for (const { name, sql } of constraints)
    await requireCondition(session, relation, sql, `${where}, ${name}`);
  const counts = constraints.map(
    ({ sql }, index) => `count(*) FILTER (WHERE coalesce(NOT (${sql}), true)) AS c${index}`,
  );
  const [row = {}] = await session.rows<Record<string, bigint>>(
    `SELECT ${counts.join(', ')} FROM ${relation}`,
  );
  requireNone(
    constraints.map(({ name }, index) => [name, Number(row[`c${index}`] ?? 0n)]),
    where,
  );
}

/** The constraints' names with the number of rows that break each. Throws DELTA_CONSTRAINT_VIOLATED. */
export function requireNone(counts: ReadonlyArray<readonly [string, number]>, where: string): void {
  const broken = counts.flatMap(([name, count]) => (count > 0 ? [`${name}: ${count} rows`] : []));
  if (broken.length === 0) return;
  throw new DeltaError(
    'DELTA_CONSTRAINT_VIOLATED',
    `rows for ${where} break its constraints: ${broken.join('; ')}`,
  );
}

async function requireCondition(
  session: EngineSession,
  relation: string,
  sql: string,
  what: string,
): Promise<void> {
  let columns: ReadonlyArray<{ type: string }>;
  try {
    columns = await session.describe(`SELECT (\n${sql}\n) AS c FROM ${relation}`);
  } catch (cause) {
    throw new DeltaError('DELTA_WRITE_UNSUPPORTED', `the engine cannot evaluate ${what}`, { cause });
  }
  if (columns.length === 1 && columns[0]?.type === 'BOOLEAN') return;
  throw new DeltaError('DELTA_WRITE_UNSUPPORTED', `the engine finds no condition in ${what}`);
}

/** An empty relation of the schema, to try expressions on. */
export function emptyRelation(engine: Engine, schema: StructType): string {
  return engine.relation({ schema, partitionColumns: [], files: [], columnMapping: 'none' });
}
