"""The same medallion work with Polars and delta-rs, without orchestration: what a Python user would write for speed.

python etl_polars.py <csv> <lake folder>   prints one JSON line with seconds and peak memory
"""

import json
import resource
import sys
import time

import polars as pl
from deltalake import write_deltalake

source, lake = sys.argv[1:3]
began = time.perf_counter()
KEY = ["symbol", "date"]


def publish(frame: pl.DataFrame, table: str) -> None:
    write_deltalake(f"{lake}/{table}", frame.to_arrow(), mode="overwrite")


raw = pl.read_csv(
    source,
    schema={"date": pl.Date, "symbol": pl.String, "open": pl.Float64, "high": pl.Float64, "low": pl.Float64,
            "close": pl.Float64, "volume": pl.Int64},
).with_row_index("_source_line", offset=2).with_columns(
    pl.col("_source_line").cast(pl.Int64),
    _source_file=pl.lit(source),
    _ingested_at=pl.lit(time.time()),
)
publish(raw, "bronze")

cleaned = raw.with_columns(pl.col("symbol").str.strip_chars().str.to_uppercase())
price = (pl.min_horizontal("open", "high", "low", "close") > 0) & (pl.max_horizontal("open", "high", "low", "close") < 1e300)
shape = (pl.col("low") <= pl.col("high")) & pl.col("open").is_between(pl.col("low"), pl.col("high")) & pl.col(
    "close").is_between(pl.col("low"), pl.col("high"))
good = (price & shape & (pl.col("volume") >= 0) & pl.col("symbol").is_not_null() & pl.col("date").is_not_null()).fill_null(False)
refused = cleaned.filter(~good)
if refused.height > 0:
    publish(refused, "quarantine")
silver = cleaned.filter(good).unique(subset=KEY, keep="last", maintain_order=False).sort(KEY)

# Outliers: robust z of log returns against the three closed calendar months before.
silver = silver.with_columns(
    log_return=(pl.col("close") / pl.col("close").shift(1).over("symbol")).log(),
    month=pl.col("date").dt.truncate("1mo"),
)
returns = silver.select("symbol", "month", "log_return").drop_nulls()
reference = pl.concat(
    [returns.with_columns(pl.col("month").dt.offset_by(f"{later}mo")) for later in (1, 2, 3)]
).group_by("symbol", "month").agg(
    center=pl.col("log_return").median(),
    spread=(pl.col("log_return") - pl.col("log_return").median()).abs().median(),
    size=pl.len(),
).filter(pl.col("size") >= 20)
silver = silver.join(reference, on=["symbol", "month"], how="left").with_columns(
    outlier_score=(pl.col("log_return") - pl.col("center")) / (1.4826 * pl.col("spread"))
).with_columns(is_outlier=(pl.col("outlier_score").abs() >= 8).fill_null(False)).drop("center", "spread", "size").sort(KEY)
publish(silver.drop("log_return", "month"), "silver")

close = pl.col("close")
publish(silver.group_by("date").agg(
    record_count=pl.len(), average_close=close.mean(), minimum_close=close.min(), maximum_close=close.max(),
    median_close=close.median(), stddev_close=close.std(), total_volume=pl.col("volume").sum(),
    price_range=pl.col("high").max() - pl.col("low").min(),
).sort("date"), "stocks_daily_market")
publish(silver.group_by("symbol", "month").agg(
    trading_days=pl.len(), open=pl.col("open").first(), high=pl.col("high").max(), low=pl.col("low").min(),
    close=close.last(), average_close=close.mean(), total_volume=pl.col("volume").sum(),
    outliers=pl.col("is_outlier").sum(),
).sort("symbol", "month"), "stocks_monthly")
lr, volume = pl.col("log_return"), pl.col("volume").cast(pl.Float64)
features = silver.select(
    "symbol", "date", "close", "volume", "log_return", "is_outlier",
    price_range=pl.col("high") - pl.col("low"),
    price_range_ratio=(pl.col("high") - pl.col("low")) / close,
    parkinson_volatility=((pl.col("high") / pl.col("low")).log() ** 2 / (4 * 0.6931471805599453)).sqrt(),
    garman_klass_volatility=(0.5 * (pl.col("high") / pl.col("low")).log() ** 2
                             - (2 * 0.6931471805599453 - 1) * (close / pl.col("open")).log() ** 2).clip(0).sqrt(),
    **{f"close_mean_{n}": close.rolling_mean(n).over("symbol") for n in (5, 20, 60)},
    **{f"return_mean_{n}": lr.rolling_mean(n).over("symbol") for n in (5, 20, 60)},
    **{f"return_stddev_{n}": lr.rolling_std(n).over("symbol") for n in (5, 20, 60)},
    volume_z_20=((volume - volume.rolling_mean(20)) / volume.rolling_std(20)).over("symbol"),
)
publish(features, "stocks_daily_features")
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "rows": {"silver": silver.height, "features": features.height, "outliers": int(silver["is_outlier"].sum())},
}))
