/**
 * Outlier flags of a whole table, part by part in the order of time: a part is judged with what is kept of those before
 * it, which is the last row of each group and the returns of the months that a reference reaches back to.
 */
import type { OutlierDefinition } from '../contracts/dataset.js';
import { identifier, identifiers } from '../contracts/sql-text.js';
import type { EngineSession } from '../delta/ports.js';
import { groupWindow, returnSql, scoreSelect } from './outliers.js';

/** Whether the parts of a table are in an order that this pass can follow. */
export function canPass(definition: OutlierDefinition, partedBy: string | undefined): boolean {
  return definition.order === partedBy;
}

export class OutlierPass {
  readonly #columns: readonly string[];
  readonly #group: string;
  readonly #order: string;
  readonly #value: string;

  constructor(
    private readonly session: EngineSession,
    private readonly definition: OutlierDefinition,
    private readonly key: readonly string[],
  ) {
    this.#columns = [...new Set([...key, ...definition.group, definition.order, definition.value])];
    this.#group = identifiers(definition.group);
    this.#order = identifier(definition.order);
    this.#value = identifier(definition.value);
  }

  /** Makes what is carried from part to part, empty, with the column types of `rows`. */
  async begin(rows: string): Promise<void> {
    const log = returnSql(this.#value, this.#value);
    await this.session.run(
      `CREATE TABLE last_rows AS SELECT ${identifiers(this.#columns)} FROM ${rows} WHERE false; ` +
        `CREATE TABLE recent AS SELECT ${this.#group}, date_trunc('month', ${this.#order})::DATE AS month, ` +
        `[${log}] AS log_returns FROM ${rows} WHERE false`,
    );
  }

  /**
   * Makes the table `returns` of the relation `part`, whose rows are all later than those of the parts before: key and
   * log return since the row before in the group; `again` where that row has the same place in the order. May be called
   * again for the same part, before {@link judge}.
   */
  async measure(part: string): Promise<void> {
    const columns = identifiers(this.#columns);
    const inGroup = groupWindow(this.definition, this.key);
    await this.session.run(
      `CREATE OR REPLACE TABLE returns AS SELECT ${columns}, mine, is_last, month, again,
  ${returnSql(this.#value, 'previous')} AS log_return
FROM (
  SELECT ${columns}, mine, date_trunc('month', ${this.#order})::DATE AS month,
    lag(${this.#value}) OVER ${inGroup} AS previous,
    lag(${this.#order}) OVER ${inGroup} IS NOT DISTINCT FROM ${this.#order} AS again,
    lead(mine) OVER ${inGroup} IS NULL AS is_last
  FROM (SELECT ${columns}, true AS mine FROM ${part} UNION ALL SELECT ${columns}, false AS mine FROM last_rows)
)`,
    );
  }

  /** Makes the table `reference` for the months of the measured part, and carries on what the next part needs. */
  async judge(): Promise<void> {
    const { months, minimum } = this.definition;
    const group = this.#group;
    await this.session.run(
      `INSERT INTO recent SELECT ${group}, month, list(log_return) FROM returns WHERE mine AND log_return IS NOT NULL GROUP BY ALL;
CREATE OR REPLACE TABLE reference AS
SELECT ${group}, month, judged.center AS center, judged.spread AS spread
FROM (
  SELECT ${group}, month, median_and_mad(log_returns) AS judged
  FROM (
    -- A return belongs to the reference of each of the next months.
    SELECT ${group}, (month + to_months(later))::DATE AS month, flatten(list(log_returns)) AS log_returns
    FROM recent, (SELECT unnest(range(1, ${months + 1}))::INTEGER AS later)
    GROUP BY ALL
  )
  WHERE len(log_returns) >= ${minimum} AND month BETWEEN (SELECT min(month) FROM returns WHERE mine) AND (SELECT max(month) FROM returns)
);
DELETE FROM recent WHERE month < (SELECT max(month) - to_months(${months}) FROM returns);
CREATE OR REPLACE TABLE last_rows AS SELECT ${identifiers(this.#columns)} FROM returns WHERE is_last`,
    );
  }

  /** SQL of the judged part: key and `score` (robust z, NULL where the reference does not vary) of each row that can be judged. */
  scores(): string {
    return `${scoreSelect(this.definition, this.key)} AND r.mine`;
  }
}
