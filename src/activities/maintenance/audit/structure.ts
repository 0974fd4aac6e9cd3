/** What every table is held against: its declared columns, the log's counts and bounds, and its key. */
import type { GoldDefinition } from '../../../contracts/dataset.js';
import { identifier, identifiers } from '../../../contracts/sql-text.js';
import type { StructField, StructType } from '../../../delta/index.js';
import { bronzeSchema, QUARANTINE_SCHEMA, schemaOf } from '../../../medallion/schema.js';
import { failed, OUTLIER_COLUMNS, rulesOf } from '../../../medallion/silver-sql.js';
import { fingerprintOf } from '../../../medallion/staleness.js';
import { rowCount } from '../../tables.js';
import {
  counted,
  exampleOf,
  EXAMPLES_MAX,
  numberOf,
  unsaid,
  viewOf,
  type AuditGround,
  type Found,
} from './ground.js';

/** Files that the statistics are compared on. */
const SAMPLE_FILES = 16;

export function goldOf({ dataset, own }: AuditGround): GoldDefinition | undefined {
  return dataset.gold.find(({ table }) => table === own.name.table);
}

/** Whether the table was made by the definition as it is now; else its next run makes it anew. */
export function isCurrent(ground: AuditGround): boolean {
  const { dataset, own } = ground;
  const known = own.snapshot.metadata.configuration['datalab.fingerprint'];
  switch (own.name.layer) {
    case 'silver':
      return known === fingerprintOf([dataset.columns, dataset.key, dataset.silver]);
    case 'gold':
      return known === fingerprintOf(goldOf(ground));
    default:
      return true;
  }
}

/** Columns and types against the declaration. */
export async function schemaCheck(ground: AuditGround): Promise<Found[]> {
  const wanted = await declaredSchema(ground);
  const name = 'declared_columns';
  if (wanted === null) return [unsaid(name, 'table_schema', 'the table that it is made from cannot be read')];
  const isBronze = ground.own.name.layer === 'bronze';
  const { missing, retyped, extra } = differences(ground.own.snapshot.schema, wanted);
  // Bronze keeps columns that are declared no more, and gets new ones with the next rows.
  const bad = [...missing, ...retyped, ...(isBronze ? [] : extra)];
  const soft = isBronze ? retyped.length === 0 : !isCurrent(ground);
  const said = bad.length === 0 ? '' : `: ${bad.slice(0, 20).join('; ')}`;
  return [
    counted(name, 'table_schema', {
      ...{ rows: wanted.fields.length, bad: bad.length, unit: 'columns', severity: soft ? 'warn' : 'block' },
      detail: `${bad.length} differences from the ${wanted.fields.length} declared columns${said}`,
    }),
  ];
}

async function declaredSchema(ground: AuditGround): Promise<StructType | null> {
  const { dataset, own, session, upstream } = ground;
  switch (own.name.layer) {
    case 'bronze':
      return bronzeSchema(dataset);
    case 'quarantine':
      return QUARANTINE_SCHEMA;
    case 'silver': {
      if (!upstream) return null;
      const columns = await session.describe(dataset.silver.sql);
      return schemaOf([...columns, ...(dataset.silver.outliers ? OUTLIER_COLUMNS : [])]);
    }
    default: {
      const gold = goldOf(ground);
      return upstream && gold ? schemaOf(await session.describe(gold.sql)) : null;
    }
  }
}

function differences(
  actual: StructType,
  wanted: StructType,
): { readonly missing: string[]; readonly retyped: string[]; readonly extra: string[] } {
  const type = (field: StructField): string =>
    typeof field.type === 'string' ? field.type : JSON.stringify(field.type);
  const known = new Map(actual.fields.map((field) => [field.name, field]));
  const named = new Set(wanted.fields.map(({ name }) => name));
  return {
    missing: wanted.fields.filter(({ name }) => !known.has(name)).map(({ name }) => `${name} is missing`),
    retyped: wanted.fields.flatMap((field) => {
      const there = known.get(field.name);
      return there && type(there) !== type(field)
        ? [`${field.name} is ${type(there)}, and ${type(field)} is declared`]
        : [];
    }),
    extra: actual.fields.filter(({ name }) => !named.has(name)).map(({ name }) => `${name} is not declared`),
  };
}

/** The log's count of rows against the rows that are there. */
export async function rowsCheck({ own, session }: AuditGround): Promise<Found[]> {
  const there = await numberOf(session, `SELECT count(*) AS n FROM ${viewOf(own)}`);
  if (own.snapshot.files.some(({ stats }) => stats === undefined))
    return [unsaid('counted_rows', 'rows', `the log does not count the ${there} rows`)];
  const stated = rowCount(own.snapshot);
  return [
    counted('counted_rows', 'rows', {
      ...{ rows: Math.max(there, stated), bad: Math.abs(there - stated) },
      detail: `${there} rows are there, and the log counts ${stated}`,
    }),
  ];
}

/** The log's statistics against the rows, on a sample of the files: a wrong bound hides rows from every reader. */
export async function statisticsCheck({ own, run, context }: AuditGround): Promise<Found[]> {
  const report = await own.table.fsck({
    statistics: { files: SAMPLE_FILES, seed: run.runId },
    ...{ signal: context.signal, progress: context.progress },
  });
  const wrong = report.findings.filter(({ problem }) => problem === 'wrong statistics');
  return [
    counted('statistics', 'statistics', {
      ...{ rows: report.statisticsRead, bad: wrong.length },
      detail: `${wrong.length} of ${report.statisticsRead} files, of ${report.files}, have statistics that are not true of their rows`,
      examples: wrong.slice(0, EXAMPLES_MAX).map(({ path, detail }) => ({ path, detail })),
    }),
  ];
}

/** Columns that name a row, by layer; null where nothing is declared. */
function keyOf({ own, dataset }: AuditGround): readonly string[] | null {
  switch (own.name.layer) {
    case 'bronze':
      return ['_source_id', '_source_line'];
    case 'quarantine':
      return ['layer', '_source_id', '_source_line', 'rule'];
    case 'silver':
      return dataset.key;
    default:
      return null;
  }
}

/** No two rows with one key. Of Silver no part of it may be missing either. */
export async function keyCheck(ground: AuditGround): Promise<Found[]> {
  const key = keyOf(ground);
  if (key === null) return [];
  const { session, own } = ground;
  const columns = identifiers(key);
  const repeated = `SELECT ${columns}, count(*) AS times FROM ${viewOf(own)} GROUP BY ${columns} HAVING count(*) > 1`;
  const missing =
    own.name.layer === 'silver' ? key.map((name) => `${identifier(name)} IS NULL`).join(' OR ') : 'false';
  const [row] = await session.rows<{ rows: bigint; missing: bigint; surplus: bigint }>(
    `SELECT count(*) AS rows, count(*) FILTER (WHERE ${missing}) AS missing, ` +
      `(SELECT coalesce(sum(times - 1), 0)::BIGINT FROM (${repeated})) AS surplus FROM ${viewOf(own)}`,
  );
  const [surplus, without] = [Number(row?.surplus ?? 0n), Number(row?.missing ?? 0n)];
  const examples =
    surplus === 0
      ? []
      : await session.rows<Record<string, unknown>>(`${repeated} ORDER BY ALL LIMIT ${EXAMPLES_MAX}`);
  return [
    counted('key', 'key', {
      ...{ rows: Number(row?.rows ?? 0n), bad: surplus + without },
      detail: `${surplus} rows repeat the key (${key.join(', ')}) of another${without > 0 ? `, and ${without} lack a part of it` : ''}`,
      examples: examples.map(exampleOf),
    }),
  ];
}

/** The row rules of Silver, which every published row was held against. */
export async function ruleChecks(ground: AuditGround): Promise<Found[]> {
  const { session, own, dataset } = ground;
  const rules = rulesOf(dataset);
  if (!isCurrent(ground))
    return [unsaid('rules', 'rule', 'the definition was changed since; the next run makes the table anew')];
  const counts = rules.map(({ must }, index) => `count(*) FILTER (WHERE ${failed(must)}) AS bad_${index}`);
  const [row = {}] = await session.rows<Record<string, bigint>>(
    `SELECT count(*) AS rows, ${counts.join(', ')} FROM ${viewOf(own)}`,
  );
  const found: Found[] = [];
  for (const [index, { name, must, reason }] of rules.entries()) {
    const [rows, bad] = [Number(row['rows'] ?? 0n), Number(row[`bad_${index}`] ?? 0n)];
    const examples =
      bad === 0
        ? []
        : await session.rows<Record<string, unknown>>(
            `SELECT _source_file AS file, _source_line AS line, to_json(o)::VARCHAR AS row FROM ${viewOf(own)} o ` +
              `WHERE ${failed(must)} ORDER BY file, line LIMIT ${EXAMPLES_MAX}`,
          );
    found.push(
      counted(`rule_${name}`, 'rule', {
        ...{ rows, bad, detail: `in ${bad} of ${rows} published rows ${reason}` },
        examples: examples.map(({ line, ...rest }) => exampleOf({ ...rest, line: Number(line) })),
      }),
    );
  }
  return found;
}
