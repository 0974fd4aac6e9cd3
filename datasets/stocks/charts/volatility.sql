-- A year has about 252 trading days. Of the eight companies of which most shares were traded.
SELECT
  date_trunc('month', date)::DATE AS month,
  symbol,
  avg(return_stddev_20) * sqrt(252) AS volatility
FROM gold.stocks_daily_features
WHERE return_stddev_20 IS NOT NULL
  AND symbol IN (SELECT symbol FROM gold.stocks_monthly GROUP BY symbol ORDER BY sum(total_volume) DESC, symbol LIMIT 8)
GROUP BY ALL
ORDER BY month, symbol
