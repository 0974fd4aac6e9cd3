-- Per company and day. Windows count rows, that is trading days, and are NULL until they are full.
WITH returns AS (
  SELECT
    symbol,
    date,
    open,
    high,
    low,
    close,
    volume,
    is_outlier,
    ln(close / lag(close) OVER by_day) AS log_return,
    row_number() OVER by_day AS day_number
  FROM silver.stocks
  WINDOW by_day AS (PARTITION BY symbol ORDER BY date)
)
SELECT
  symbol,
  date,
  close,
  volume,
  log_return,
  high - low AS price_range,
  (high - low) / close AS price_range_ratio,
  -- One-day estimates of the standard deviation of log prices, from the day's extremes.
  sqrt(ln(high / low) ** 2 / (4 * ln(2))) AS parkinson_volatility,
  sqrt(greatest(0.5 * ln(high / low) ** 2 - (2 * ln(2) - 1) * ln(close / open) ** 2, 0)) AS garman_klass_volatility,
  CASE WHEN day_number >= 5 THEN avg(close) OVER d5 END AS close_mean_5,
  CASE WHEN day_number >= 20 THEN avg(close) OVER d20 END AS close_mean_20,
  CASE WHEN day_number >= 60 THEN avg(close) OVER d60 END AS close_mean_60,
  -- The first day has no return: a window of n returns is full a day later.
  CASE WHEN day_number > 5 THEN avg(log_return) OVER d5 END AS return_mean_5,
  CASE WHEN day_number > 20 THEN avg(log_return) OVER d20 END AS return_mean_20,
  CASE WHEN day_number > 60 THEN avg(log_return) OVER d60 END AS return_mean_60,
  CASE WHEN day_number > 5 THEN stddev_samp(log_return) OVER d5 END AS return_stddev_5,
  CASE WHEN day_number > 20 THEN stddev_samp(log_return) OVER d20 END AS return_stddev_20,
  CASE WHEN day_number > 60 THEN stddev_samp(log_return) OVER d60 END AS return_stddev_60,
  CASE
    WHEN day_number >= 20 THEN (volume - avg(volume) OVER d20) / nullif(stddev_samp(volume) OVER d20, 0)
  END AS volume_z_20,
  is_outlier
FROM returns
WINDOW
  d5 AS (PARTITION BY symbol ORDER BY date ROWS 4 PRECEDING),
  d20 AS (PARTITION BY symbol ORDER BY date ROWS 19 PRECEDING),
  d60 AS (PARTITION BY symbol ORDER BY date ROWS 59 PRECEDING)
ORDER BY date, symbol
