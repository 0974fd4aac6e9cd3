SELECT day, count(*) AS rows, max(price) AS highest, count(*) FILTER (is_outlier) AS outliers FROM silver.ticks GROUP BY day
