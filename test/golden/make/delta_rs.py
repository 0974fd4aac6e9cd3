"""Writes small tables with delta-rs: python test/golden/make/delta_rs.py, with the Python that has `deltalake`."""
import datetime
import decimal

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from golden import answer, begin, tidy

folder = begin("delta-rs")
DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc)


def table(name: str) -> str:
    return str(folder / name)


# Every primitive type, with the ends of its range and with nothing in it.
schema = pa.schema(
    [
        ("id", pa.int64()), ("small", pa.int16()), ("tiny", pa.int8()), ("whole", pa.int32()), ("share", pa.float32()),
        ("ratio", pa.float64()), ("yes", pa.bool_()), ("word", pa.string()), ("bytes", pa.binary()), ("day", pa.date32()),
        ("moment", pa.timestamp("us", tz="UTC")), ("local", pa.timestamp("us")), ("price", pa.decimal128(20, 4)),
    ]
)
rows = [
    dict(id=1, small=-(2**15), tiny=127, whole=2**31 - 1, share=1.5, ratio=-0.1, yes=True, word="água ✓", bytes=b"\x00\xff",
         day=DAY, moment=MOMENT, local=MOMENT.replace(tzinfo=None), price=decimal.Decimal("-1234567890123456.7890")),
    dict.fromkeys(schema.names) | {"id": 2},
]
write_deltalake(table("types"), pa.Table.from_pylist(rows, schema=schema))
answer(
    "delta-rs/types",
    [
        dict(id=1, small=-32768, tiny=127, whole=2147483647, share=1.5, ratio=-0.1, yes=True, word="água ✓", bytes="x00ff",
             day="2024-02-29", moment="2024-02-29T23:59:59.999999Z", local="2024-02-29T23:59:59.999999",
             price="-1234567890123456.7890"),
        dict.fromkeys(schema.names) | {"id": 2},
    ],
    {0: 2},
    "every primitive type, with the ends of its range and with nothing in it",
)

# Partitions whose values need escaping, are empty, or are not there; then one of them is written anew.
parts = pa.schema([("region", pa.string()), ("day", pa.date32()), ("n", pa.int64())])


def part(region, n):
    return dict(region=region, day=DAY, n=n)


write_deltalake(table("partitions"), pa.Table.from_pylist([part("a/b c", 1), part(None, 2), part("ü=%", 3)], schema=parts), partition_by=["region", "day"])
write_deltalake(table("partitions"), pa.Table.from_pylist([part("a/b c", 4)], schema=parts), mode="append")
write_deltalake(table("partitions"), pa.Table.from_pylist([part("ü=%", 5), part("ü=%", 6)], schema=parts), mode="overwrite", predicate="region = 'ü=%'")
answer(
    "delta-rs/partitions",
    [dict(region=region, day="2024-02-29", n=n) for region, n in [("a/b c", 1), (None, 2), ("a/b c", 4), ("ü=%", 5), ("ü=%", 6)]],
    {0: 3, 1: 4, 2: 5},
    "partition values that need escaping, are not there, and are overwritten by a predicate",
    partitionColumns=["region", "day"],
)

# Deletes, updates and merges after a checkpoint; the checkpoint and the commits after it together are the table.
numbers = pa.schema([("n", pa.int64()), ("word", pa.string())])
write_deltalake(table("changes"), pa.Table.from_pylist([dict(n=n, word=f"w{n}") for n in range(10)], schema=numbers))
changed = DeltaTable(table("changes"))
changed.delete("n >= 8")
changed.create_checkpoint()
changed.update(predicate="n = 3", new_values={"word": "three"})
changed.merge(
    pa.Table.from_pylist([dict(n=1, word="one"), dict(n=50, word="fifty")], schema=numbers),
    predicate="t.n = s.n", source_alias="s", target_alias="t",
).when_matched_update_all().when_not_matched_insert_all().execute()
words = {n: f"w{n}" for n in range(8)} | {3: "three", 1: "one", 50: "fifty"}
answer(
    "delta-rs/changes",
    [dict(n=n, word=word) for n, word in words.items()],
    {0: 10, 1: 8, 2: 8, 3: 9},
    "delete, checkpoint, update and merge",
)

# A column that came later.
write_deltalake(table("evolved"), pa.table({"n": pa.array([1], pa.int64())}))
write_deltalake(table("evolved"), pa.table({"n": pa.array([2], pa.int64()), "word": ["two"]}), mode="append", schema_mode="merge")
answer("delta-rs/evolved", [dict(n=1, word=None), dict(n=2, word="two")], {0: 1, 1: 2}, "a column that came later")

for one in folder.iterdir():
    tidy(one)
