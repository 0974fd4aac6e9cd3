SELECT
  date_trunc('week', date)::DATE AS week,
  symbol,
  arg_max(close, date) AS close
FROM silver.stocks
GROUP BY ALL
ORDER BY week, symbol
