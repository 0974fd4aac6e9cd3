-- One row per Bronze row: tidy the ticker, keep everything else.
SELECT
  date,
  upper(trim(symbol)) AS symbol,
  open,
  high,
  low,
  close,
  volume,
  _source_id,
  _source_file,
  _source_line,
  _source_modified_at,
  _ingested_at,
  _run_id
FROM bronze.stocks
