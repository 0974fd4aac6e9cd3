-- The market per day, over all companies.
SELECT
  date,
  count(*) AS record_count,
  avg(close) AS average_close,
  min(close) AS minimum_close,
  max(close) AS maximum_close,
  median(close) AS median_close,
  -- One company alone has no spread; its day counts as calm.
  coalesce(stddev_samp(close), 0) AS stddev_close,
  sum(volume)::BIGINT AS total_volume,
  max(high) - min(low) AS price_range,
  sum(volume) / nullif(avg(close), 0) AS volume_price_ratio,
  CASE
    WHEN coalesce(stddev_samp(close), 0) < 5 THEN 'Low'
    WHEN stddev_samp(close) < 15 THEN 'Medium'
    ELSE 'High'
  END AS volatility_category
FROM silver.stocks
GROUP BY date
ORDER BY date
