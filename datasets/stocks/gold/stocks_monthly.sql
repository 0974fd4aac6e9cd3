-- Per company and calendar month.
SELECT
  symbol,
  date_trunc('month', date)::DATE AS month,
  count(*) AS trading_days,
  arg_min(open, date) AS open,
  max(high) AS high,
  min(low) AS low,
  arg_max(close, date) AS close,
  avg(close) AS average_close,
  arg_max(close, date) / arg_min(open, date) - 1 AS month_return,
  sum(volume)::BIGINT AS total_volume,
  count(*) FILTER (is_outlier) AS outliers
FROM silver.stocks
GROUP BY ALL
ORDER BY symbol, month
