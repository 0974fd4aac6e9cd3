-- Integers on purpose: sums of doubles depend on the order in which an engine adds them up.
SELECT symbol, day, id, is_outlier, outlier_score,
  max(price) OVER w AS highest, count(*) OVER w AS rows, lag(id) OVER (PARTITION BY symbol ORDER BY day, id) AS previous
FROM silver.ticks
WINDOW w AS (PARTITION BY symbol ORDER BY day, id ROWS 2 PRECEDING)
