SELECT symbol, date_trunc('month', day)::DATE AS month, count(*) AS rows, min(price) AS lowest FROM silver.ticks GROUP BY ALL
