-- Per company and day. Windows count rows, that is trading days, and are NULL until they are full.
-- Sums over 20 and 60 days are put together from sums over 5 and 20: less work than a frame for each, and every row adds
-- up its days in one fixed order, so that computing a part of the table gives the very same figures.
WITH days AS (
  SELECT
    symbol,
    date,
    open,
    high,
    low,
    close,
    volume,
    is_outlier,
    close + lag(close) OVER d + lag(close, 2) OVER d + lag(close, 3) OVER d + lag(close, 4) OVER d AS close_5,
    -- Whole numbers, so that the variance below is exact.
    volume::HUGEINT + lag(volume) OVER d + lag(volume, 2) OVER d + lag(volume, 3) OVER d
      + lag(volume, 4) OVER d AS volume_5,
    volume::HUGEINT * volume + lag(volume::HUGEINT * volume) OVER d + lag(volume::HUGEINT * volume, 2) OVER d
      + lag(volume::HUGEINT * volume, 3) OVER d + lag(volume::HUGEINT * volume, 4) OVER d AS volume_squares_5,
    ln(close / lag(close) OVER d) AS log_return,
    -- Log returns add up to the log return of the whole time.
    ln(close / lag(close, 5) OVER d) AS return_5,
    ln(close / lag(close, 20) OVER d) AS return_20,
    ln(close / lag(close, 60) OVER d) AS return_60,
    ln(close / lag(close) OVER d) ** 2 + ln(lag(close) OVER d / lag(close, 2) OVER d) ** 2
      + ln(lag(close, 2) OVER d / lag(close, 3) OVER d) ** 2 + ln(lag(close, 3) OVER d / lag(close, 4) OVER d) ** 2
      + ln(lag(close, 4) OVER d / lag(close, 5) OVER d) ** 2 AS squares_5
  FROM silver.stocks
  WINDOW d AS (PARTITION BY symbol ORDER BY date)
), months AS (
  SELECT
    *,
    close_5 + lag(close_5, 5) OVER d + lag(close_5, 10) OVER d + lag(close_5, 15) OVER d AS close_20,
    squares_5 + lag(squares_5, 5) OVER d + lag(squares_5, 10) OVER d + lag(squares_5, 15) OVER d AS squares_20,
    volume_5 + lag(volume_5, 5) OVER d + lag(volume_5, 10) OVER d + lag(volume_5, 15) OVER d AS volume_20,
    volume_squares_5 + lag(volume_squares_5, 5) OVER d + lag(volume_squares_5, 10) OVER d
      + lag(volume_squares_5, 15) OVER d AS volume_squares_20
  FROM days
  WINDOW d AS (PARTITION BY symbol ORDER BY date)
), quarters AS (
  SELECT
    *,
    close_20 + lag(close_20, 20) OVER d + lag(close_20, 40) OVER d AS close_60,
    squares_20 + lag(squares_20, 20) OVER d + lag(squares_20, 40) OVER d AS squares_60
  FROM months
  WINDOW d AS (PARTITION BY symbol ORDER BY date)
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
  close_5 / 5 AS close_mean_5,
  close_20 / 20 AS close_mean_20,
  close_60 / 60 AS close_mean_60,
  -- The first day has no return: a window of n returns is full a day later.
  return_5 / 5 AS return_mean_5,
  return_20 / 20 AS return_mean_20,
  return_60 / 60 AS return_mean_60,
  -- greatest() passes over NULL: a plain 0 would stand for a window that is not full yet.
  sqrt(greatest(squares_5 - return_5 ** 2 / 5, 0 * squares_5) / 4) AS return_stddev_5,
  sqrt(greatest(squares_20 - return_20 ** 2 / 20, 0 * squares_20) / 19) AS return_stddev_20,
  sqrt(greatest(squares_60 - return_60 ** 2 / 60, 0 * squares_60) / 59) AS return_stddev_60,
  (volume - volume_20::DOUBLE / 20)
    / nullif(sqrt((20 * volume_squares_20 - volume_20 * volume_20)::DOUBLE / (20 * 19)), 0) AS volume_z_20,
  is_outlier
FROM quarters
ORDER BY date, symbol
