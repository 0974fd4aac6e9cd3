-- A year has about 252 trading days.
SELECT
  date_trunc('month', date)::DATE AS month,
  symbol,
  avg(return_stddev_20) * sqrt(252) AS volatility
FROM gold.stocks_daily_features
WHERE return_stddev_20 IS NOT NULL
GROUP BY ALL
ORDER BY month, symbol
