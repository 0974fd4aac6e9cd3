/**
 * Generated prices for benchmarks, the same for the same size: `rows(database, path, count)` writes a CSV file in the
 * order of a feed (by day, then by symbol). Values come from hashes of the row's number, so no seed has to be kept.
 */
const SYMBOLS_PER_MILLION = 300;

/** SQL for a number from 0 to 1 that depends on the row and on what it is for. */
const unit = (what) => `(hash(r, '${what}') % 1000003) / 1000003.0`;

/**
 * Writes rows `from` to `to` (exclusive) of the data set of `size` rows; rows past `size` are later days. `connection` is
 * a DuckDB connection.
 */
export async function generate(connection, { path, size, from = 0, to = size }) {
  const symbols = Math.max(5, Math.round((size / 1e6) * SYMBOLS_PER_MILLION));
  const level = `50 + 40 * sin(r % ${symbols}) + 0.01 * (r // ${symbols}) + 2 * ${unit('level')}`;
  await connection.run(`COPY (
    SELECT DATE '2000-01-03' + (r // ${symbols})::INTEGER AS date, 'S' || lpad((r % ${symbols})::VARCHAR, 5, '0') AS symbol,
      round(c * (1 + (${unit('open')} - 0.5) * 0.016), 2) AS open, round(c * (1.01 + 0.02 * ${unit('high')}), 2) AS high,
      round(c * (0.99 - 0.02 * ${unit('low')}), 2) AS low, round(c, 2) AS close, (1e5 + 1e7 * ${unit('volume')})::BIGINT AS volume
    FROM (SELECT r, ${level} AS c FROM range(${from}, ${to}) t(r))
  ) TO '${path.replaceAll("'", "''")}' (HEADER)`);
}
