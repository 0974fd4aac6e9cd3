"""The same tables, checks and chart data with Polars and delta-rs, without orchestration: what a Python user would write for speed.

python etl_polars.py <csv> <lake folder>   prints one JSON line with seconds and peak memory
"""

import hashlib
import json
import os
import resource
import sys
import time
import uuid

import polars as pl
from deltalake import write_deltalake

source, lake = sys.argv[1:3]
began = time.perf_counter()
KEY = ["symbol", "date"]


def publish(frame: pl.DataFrame, table: str) -> None:
    write_deltalake(f"{lake}/{table}", frame.to_arrow(), mode="overwrite")


with open(source, "rb") as opened:
    source_id = hashlib.file_digest(opened, "sha256").hexdigest()
ingested_at = int(time.time() * 1e6)
raw = pl.read_csv(
    source,
    schema={"date": pl.Date, "symbol": pl.String, "open": pl.Float64, "high": pl.Float64, "low": pl.Float64,
            "close": pl.Float64, "volume": pl.Int64},
).with_row_index("_source_line", offset=2).with_columns(
    pl.col("_source_line").cast(pl.Int64),
    _extra=pl.lit(None, pl.String),
    _source_id=pl.lit(source_id),
    _source_file=pl.lit(source),
    _source_modified_at=pl.lit(int(os.path.getmtime(source) * 1e6)).cast(pl.Datetime("us", "UTC")),
    _ingested_at=pl.lit(ingested_at).cast(pl.Datetime("us", "UTC")),
    _run_id=pl.lit(str(uuid.uuid4())),
)
publish(raw, "bronze")

# The checks of datasets/stocks/dataset.yaml that a first run judges, with the pattern that etl.mjs puts there.
prices = ["open", "high", "low", "close"]
checks = raw.select(
    rows=pl.len(),
    **{f"nulls_{name}": pl.col(name).null_count() for name in ["date", "symbol", *prices, "volume"]},
    duplicates=pl.len() - pl.struct(KEY).n_unique(),
    pattern=(~pl.col("symbol").str.contains("^[A-Z][0-9]{5}$")).sum(),
    range_close=(~pl.col("close").is_between(0.01, 100000)).sum(),
    range_volume=(pl.col("volume") < 0).sum(),
    range_date=(pl.col("date") < pl.date(1980, 1, 1)).sum(),
    high_is_highest=((pl.col("high") < pl.max_horizontal("open", "low", "close")) | (pl.col("low") > pl.min_horizontal("open", "close"))).sum(),
    median_close=pl.col("close").median(),
).to_dicts()[0]

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
    volume_price_ratio=pl.col("volume").sum() / close.mean(),
    volatility_category=pl.when(close.std() < 5).then(pl.lit("Low")).when(close.std() < 15).then(pl.lit("Medium")).otherwise(pl.lit("High")),
).sort("date"), "stocks_daily_market")
publish(silver.group_by("symbol", "month").agg(
    trading_days=pl.len(), open=pl.col("open").first(), high=pl.col("high").max(), low=pl.col("low").min(),
    close=close.last(), average_close=close.mean(), month_return=close.last() / pl.col("open").first() - 1, total_volume=pl.col("volume").sum(),
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
shown = silver["symbol"].unique().sort().head(8)
some = pl.col("symbol").is_in(shown.implode())
charts = {
    "close": silver.filter(some).group_by("symbol", pl.col("date").dt.truncate("1w")).agg(pl.col("close").last()).sort("symbol", "date"),
    "volatility": features.filter(some).group_by("symbol", pl.col("date").dt.truncate("1mo")).agg(pl.col("return_stddev_20").mean()).sort("symbol", "date"),
    "shares": silver.group_by("month").agg(pl.col("volume").sum()).sort("month"),
    "flagged": silver.filter("is_outlier").select("date", "symbol", pl.col("outlier_score").abs()).sort("date"),
}
with open(f"{lake}/report.json", "w") as report:
    json.dump({"checks": checks, "charts": {name: chart.write_json() for name, chart in charts.items()}}, report)
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "rows": {"silver": silver.height, "features": features.height, "outliers": int(silver["is_outlier"].sum())},
}))
