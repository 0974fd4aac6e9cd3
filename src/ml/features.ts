/**
 * Features and target as SQL over a Gold table, without looking ahead: expressions see one row alone, lags and windows look
 * back, and only the target looks forward. Pure text; `test/ml` proves it by changing the future.
 */
import { identifier, identifiers } from '../contracts/sql-text.js';
import { baselineName, type FeatureDefinition, type ModelDefinition } from '../contracts/model.js';

/** Columns of the feature file beside the features. */
export const META = { key: '_key', time: '_time', target: '_target', targetTime: '_target_time' } as const;
export const baselineColumn = (name: string): string => `_baseline_${name}`;

/**
 * One row per row of the table, features first computed over all rows before it. `relation` is what follows FROM. Keys are
 * one JSON text, times milliseconds since 1970, everything else DOUBLE. Rows come in order of time, then key.
 */
export function featureSelect(
  model: ModelDefinition,
  relation: string,
  options: { readonly target: boolean },
): string {
  const { keys, time, target, features, baselines } = model;
  const expressions = features.map(
    ({ expression }, index) => `CAST((${expression}) AS DOUBLE) AS ${base(index)}`,
  );
  const window = `PARTITION BY ${identifiers(keys)} ORDER BY ${identifier(time)}`;
  const columns = features.flatMap((feature, index) => columnsOf(feature, base(index)));
  const baselineColumns = baselines.flatMap((baseline) => {
    if (baseline.kind === 'last_value')
      return [`_y AS ${identifier(baselineColumn(baselineName(baseline)))}`];
    if (baseline.kind !== 'rolling_mean') return [];
    return [
      `${rolling('_y', 'mean', baseline.rows)} AS ${identifier(baselineColumn(baselineName(baseline)))}`,
    ];
  });
  const ahead = [
    `lead(_y, ${target.horizon}) OVER w AS ${META.target}`,
    `epoch_ms(lead(${identifier(time)}, ${target.horizon}) OVER w) AS ${META.targetTime}`,
  ];
  return `WITH expressions AS (
  SELECT ${identifiers(keys)}, ${identifier(time)}, ${[...expressions, `${targetOf(target)} AS _y`].join(', ')}
  FROM ${relation}
), columns AS (
  SELECT to_json([${keys.map((key) => `${identifier(key)}::VARCHAR`).join(', ')}])::VARCHAR AS ${META.key},
    epoch_ms(${identifier(time)}) AS ${META.time},
    ${[...columns, ...(options.target ? [...baselineColumns, ...ahead] : [])].join(',\n    ')}
  FROM expressions
  WINDOW w AS (${window})
)
SELECT * FROM columns ORDER BY ${META.time}, ${META.key}`;
}

const base = (index: number): string => `_x${index}`;

/** The target as a number: of several classes the place of the one that the expression says, -1 of one that is not declared. */
function targetOf({ expression, classes }: ModelDefinition['target']): string {
  if (!classes) return `CAST((${expression}) AS DOUBLE)`;
  const list = classes.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
  const place = `coalesce(list_position([${list}], CAST((${expression}) AS VARCHAR)), 0) - 1`;
  return `CAST(CASE WHEN (${expression}) IS NULL THEN NULL ELSE ${place} END AS DOUBLE)`;
}

function columnsOf({ name, lags, windows }: FeatureDefinition, column: string): string[] {
  return [
    ...lags.map((lag) =>
      lag === 0
        ? `${column} AS ${identifier(name)}`
        : `lag(${column}, ${lag}) OVER w AS ${identifier(`${name}_lag_${lag}`)}`,
    ),
    ...windows.map(
      ({ rows, statistic }) =>
        `${rolling(column, statistic, rows)} AS ${identifier(`${name}_${statistic}_${rows}`)}`,
    ),
  ];
}

const FUNCTIONS = { mean: 'avg', stddev: 'stddev_samp', min: 'min', max: 'max', sum: 'sum' } as const;

/** A statistic over the row and those before it, NULL until the window holds that many values. */
function rolling(column: string, statistic: keyof typeof FUNCTIONS, rows: number): string {
  const frame = `(w ROWS BETWEEN ${rows - 1} PRECEDING AND CURRENT ROW)`;
  return `CASE WHEN count(${column}) OVER ${frame} = ${rows} THEN ${FUNCTIONS[statistic]}(${column}) OVER ${frame} END`;
}
