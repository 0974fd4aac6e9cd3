/** Rows of a layer against the layer that they were made from, as far as retention left it. */
import { identifier, identifiers } from '../../../contracts/sql-text.js';
import type { Snapshot } from '../../../delta/index.js';
import { nameOf } from '../../../lake/tables.js';
import { retentionTransaction } from '../../../medallion/transactions.js';
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
import { goldOf } from './structure.js';

/** What retention took out of a table: rows whose column is before the instant. */
interface Horizon {
  readonly column: string;
  readonly before: string;
}

function horizonsOf({ transactions }: Snapshot): Horizon[] {
  const prefix = retentionTransaction('');
  return [...transactions].flatMap(([appId, { version }]) =>
    appId.startsWith(prefix)
      ? [{ column: appId.slice(prefix.length), before: new Date(version).toISOString() }]
      : [],
  );
}

export async function referenceChecks(ground: AuditGround): Promise<Found[]> {
  const { own, upstream } = ground;
  if (own.name.layer !== 'silver' && own.name.layer !== 'gold') return [];
  if (!upstream) return [unsaid('origin', 'reference', 'the table that it is made from cannot be read')];
  return own.name.layer === 'silver' ? [await rowsInBronze(ground)] : [await placesInSilver(ground)];
}

/** Every Silver row's source line is in Bronze, unless it came in before what Bronze still keeps. */
async function rowsInBronze({ own, upstream, session }: AuditGround): Promise<Found> {
  if (!upstream) throw new TypeError('Silver is made from Bronze');
  const kept = horizonsOf(upstream.snapshot).find(({ column }) => column === '_ingested_at');
  const judged = kept ? `WHERE _ingested_at >= TIMESTAMPTZ '${kept.before}'` : '';
  const from = `(SELECT * FROM ${viewOf(own)} ${judged}) s`;
  const lost =
    `FROM ${from} ANTI JOIN ${viewOf(upstream)} b ON s._source_id = b._source_id ` +
    `AND s._source_line = b._source_line`;
  const rows = await numberOf(session, `SELECT count(*) AS n FROM ${from}`);
  const bad = await numberOf(session, `SELECT count(*) AS n ${lost}`);
  const examples =
    bad === 0
      ? []
      : await session.rows<Record<string, unknown>>(
          `SELECT _source_file AS file, _source_line::VARCHAR AS line, to_json(s)::VARCHAR AS row ${lost} ` +
            `ORDER BY file, line LIMIT ${EXAMPLES_MAX}`,
        );
  const since = kept ? `, of those since ${kept.before}, when Bronze begins` : '';
  return counted('rows_in_bronze', 'reference', {
    ...{ rows, bad, examples: examples.map(exampleOf) },
    detail: `${bad} of ${rows} rows have no row in ${nameOf(upstream.name)}${since}`,
  });
}

/** Every date (and what else names a slice) of a Gold table is in the Silver that it was made from. */
async function placesInSilver(ground: AuditGround): Promise<Found> {
  const { own, upstream, session } = ground;
  if (!upstream) throw new TypeError('Gold is made from Silver');
  const name = 'dates_in_silver';
  const pairs = pairsOf(ground);
  const names = [...pairs.keys()];
  if (names.length === 0)
    return unsaid(name, 'reference', 'it declares no slices, and shares no date with Silver');
  const columns = identifiers(names);
  const times = names.filter((column) => isTime(own.snapshot, column));
  const horizons = horizonsOf(upstream.snapshot);
  if (horizons.length > 0 && times.length === 0)
    return unsaid(name, 'reference', 'retention took rows out of Silver, and no date tells which');
  const judged = times.flatMap((column) =>
    horizons.map(({ before }) => `${identifier(column)} >= ${instantOf(own.snapshot, column, before)}`),
  );
  const places = `SELECT DISTINCT ${columns} FROM ${viewOf(own)}${judged.length === 0 ? '' : ` WHERE ${judged.join(' AND ')}`}`;
  const origin = [...pairs].map(([column, sql]) => `(${sql}\n) AS ${identifier(column)}`).join(', ');
  const lost = `${places} EXCEPT SELECT ${origin} FROM ${viewOf(upstream)}`;
  const rows = await numberOf(session, `SELECT count(*) AS n FROM (${places})`);
  const bad = await numberOf(session, `SELECT count(*) AS n FROM (${lost})`);
  const examples =
    bad === 0
      ? []
      : await session.rows<Record<string, unknown>>(
          `SELECT * FROM (${lost}) ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
        );
  return counted(name, 'reference', {
    ...{ rows, bad, examples: examples.map(exampleOf) },
    detail: `${bad} of ${rows} combinations of ${names.join(', ')} are not in ${nameOf(upstream.name)} at version ${upstream.snapshot.version}`,
  });
}

/** Column of Gold → the same over a Silver row. */
function pairsOf(ground: AuditGround): ReadonlyMap<string, string> {
  const { own, upstream } = ground;
  const slices = goldOf(ground)?.slices;
  if (slices) {
    const window = slices.window ? [[slices.window.order, identifier(slices.window.order)] as const] : [];
    return new Map([...Object.entries(slices.by), ...window]);
  }
  const types = new Map(upstream?.snapshot.schema.fields.map(({ name, type }) => [name, type] as const));
  return new Map(
    own.snapshot.schema.fields
      .filter(({ name, type }) => isTime(own.snapshot, name) && types.get(name) === type)
      .map(({ name }) => [name, identifier(name)]),
  );
}

function instantOf({ schema }: Snapshot, column: string, iso: string): string {
  const isDate = schema.fields.find(({ name }) => name === column)?.type === 'date';
  return isDate ? `DATE '${iso.slice(0, 10)}'` : `TIMESTAMPTZ '${iso}'`;
}

function isTime({ schema }: Snapshot, column: string): boolean {
  const type = schema.fields.find(({ name }) => name === column)?.type;
  return type === 'date' || type === 'timestamp';
}
