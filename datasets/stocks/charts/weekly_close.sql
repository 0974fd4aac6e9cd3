-- Of the eight companies of which most shares were traded: more lines than that nobody can tell apart.
SELECT
  date_trunc('week', date)::DATE AS week,
  symbol,
  arg_max(close, date) AS close
FROM silver.stocks
WHERE symbol IN (SELECT symbol FROM gold.stocks_monthly GROUP BY symbol ORDER BY sum(total_volume) DESC, symbol LIMIT 8)
GROUP BY ALL
ORDER BY week, symbol
