-- Per company and day. Windows count rows, that is trading days, and are NULL until they are full.
-- The days of a company stand one below the other, so what was n days ago is n rows above: `lag(…) OVER ()` reaches up
-- while the rows pass, where a window per company would gather them again for every step. A row above may be another
-- company's; then its figures are dropped at the end (`full_n`: the row n above is still of this company).
-- Sums over 20 and 60 days are put together from sums over 5 and 20: every row adds up its days in one fixed order, so
-- that computing a part of the table gives the very same figures.
WITH companies AS (
  SELECT symbol, date, open, high, low, close, volume, is_outlier FROM silver.stocks ORDER BY symbol, date
), days AS (
  SELECT
    *,
    lag(symbol, 1) OVER () IS NOT DISTINCT FROM symbol AS full_1,
    lag(symbol, 4) OVER () IS NOT DISTINCT FROM symbol AS full_4,
    lag(symbol, 5) OVER () IS NOT DISTINCT FROM symbol AS full_5,
    lag(symbol, 19) OVER () IS NOT DISTINCT FROM symbol AS full_19,
    lag(symbol, 20) OVER () IS NOT DISTINCT FROM symbol AS full_20,
    lag(symbol, 59) OVER () IS NOT DISTINCT FROM symbol AS full_59,
    lag(symbol, 60) OVER () IS NOT DISTINCT FROM symbol AS full_60,
    close + lag(close, 1) OVER () + lag(close, 2) OVER () + lag(close, 3) OVER () + lag(close, 4) OVER () AS close_5,
    ln(close / lag(close, 1) OVER ()) AS log_return,
    -- Log returns add up to the log return of the whole time.
    ln(close / lag(close, 5) OVER ()) AS return_5,
    ln(close / lag(close, 20) OVER ()) AS return_20,
    ln(close / lag(close, 60) OVER ()) AS return_60,
    ln(high / low) AS high_low,
    ln(close / open) AS open_close,
    volume::DOUBLE AS shares,
    volume::DOUBLE * volume AS shares_squared
  FROM companies
), squares AS (
  SELECT *, log_return * log_return AS return_squared FROM days
), weeks AS (
  SELECT
    *,
    return_squared + lag(return_squared, 1) OVER () + lag(return_squared, 2) OVER () + lag(return_squared, 3) OVER ()
      + lag(return_squared, 4) OVER () AS squares_5,
    shares + lag(shares, 1) OVER () + lag(shares, 2) OVER () + lag(shares, 3) OVER ()
      + lag(shares, 4) OVER () AS volume_5,
    shares_squared + lag(shares_squared, 1) OVER () + lag(shares_squared, 2) OVER ()
      + lag(shares_squared, 3) OVER () + lag(shares_squared, 4) OVER () AS volume_squares_5
  FROM squares
), months AS (
  SELECT
    *,
    close_5 + lag(close_5, 5) OVER () + lag(close_5, 10) OVER () + lag(close_5, 15) OVER () AS close_20,
    squares_5 + lag(squares_5, 5) OVER () + lag(squares_5, 10) OVER () + lag(squares_5, 15) OVER () AS squares_20,
    volume_5 + lag(volume_5, 5) OVER () + lag(volume_5, 10) OVER () + lag(volume_5, 15) OVER () AS volume_20,
    volume_squares_5 + lag(volume_squares_5, 5) OVER () + lag(volume_squares_5, 10) OVER ()
      + lag(volume_squares_5, 15) OVER () AS volume_squares_20
  FROM weeks
), quarters AS (
  SELECT
    *,
    close_20 + lag(close_20, 20) OVER () + lag(close_20, 40) OVER () AS close_60,
    squares_20 + lag(squares_20, 20) OVER () + lag(squares_20, 40) OVER () AS squares_60
  FROM months
)
SELECT
  symbol,
  date,
  close,
  volume,
  CASE WHEN full_1 THEN log_return END AS log_return,
  high - low AS price_range,
  (high - low) / close AS price_range_ratio,
  -- One-day estimates of the standard deviation of log prices, from the day's extremes.
  sqrt(high_low * high_low / (4 * ln(2))) AS parkinson_volatility,
  sqrt(greatest(0.5 * high_low * high_low - (2 * ln(2) - 1) * open_close * open_close, 0)) AS garman_klass_volatility,
  CASE WHEN full_4 THEN close_5 / 5 END AS close_mean_5,
  CASE WHEN full_19 THEN close_20 / 20 END AS close_mean_20,
  CASE WHEN full_59 THEN close_60 / 60 END AS close_mean_60,
  -- The first day has no return: a window of n returns is full a day later.
  CASE WHEN full_5 THEN return_5 / 5 END AS return_mean_5,
  CASE WHEN full_20 THEN return_20 / 20 END AS return_mean_20,
  CASE WHEN full_60 THEN return_60 / 60 END AS return_mean_60,
  CASE WHEN full_5 THEN sqrt(greatest(squares_5 - return_5 * return_5 / 5, 0) / 4) END AS return_stddev_5,
  CASE WHEN full_20 THEN sqrt(greatest(squares_20 - return_20 * return_20 / 20, 0) / 19) END AS return_stddev_20,
  CASE WHEN full_60 THEN sqrt(greatest(squares_60 - return_60 * return_60 / 60, 0) / 59) END AS return_stddev_60,
  -- A spread of less than a millionth of the volume is none: it would be made of rounding.
  CASE WHEN full_19 AND 20 * volume_squares_20 - volume_20 * volume_20 > 1e-12 * volume_20 * volume_20
    THEN (volume - volume_20 / 20) / sqrt((20 * volume_squares_20 - volume_20 * volume_20) / (20 * 19)) END AS volume_z_20,
  is_outlier
FROM quarters
