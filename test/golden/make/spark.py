"""Writes small tables with Spark: python test/golden/make/spark.py <folder of Delta's jars>, with the Python that has `pyspark`."""
import glob
import os
import shutil
import sys
import tempfile

from golden import answer, begin, tidy

os.environ.update(SPARK_LOCAL_IP="127.0.0.1", TZ="UTC")
from pyspark.sql import SparkSession

jars = [jar for name in ("delta-*.jar", "unitycatalog-*.jar") for jar in sorted(glob.glob(os.path.join(sys.argv[1], name)))]
scratch = tempfile.mkdtemp()
builder = SparkSession.builder.master("local[2]").appName("golden")
for name, value in {
    "spark.driver.extraClassPath": os.pathsep.join(jars), "spark.driver.memory": "1g", "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false", "spark.local.dir": scratch,
    "spark.sql.warehouse.dir": os.path.join(scratch, "warehouse"), "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC", "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog", "spark.log.level": "ERROR",
    "spark.default.parallelism": "1",
}.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
folder = begin("spark")


def make(name: str, *statements: str) -> None:
    for statement in statements:
        spark.sql(statement.replace("THIS", f"delta.`{folder / name}`"))


words = lambda *pairs: [dict(n=n, word=word) for n, word in pairs]

make(
    "deletion_vectors",
    "CREATE TABLE THIS (n BIGINT, word STRING) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
    "INSERT INTO THIS SELECT /*+ COALESCE(1) */ id, concat('w', id) FROM range(20)",
    "DELETE FROM THIS WHERE n % 4 = 0",
    "UPDATE THIS SET word = 'five' WHERE n = 5",
)
left = [(n, "five" if n == 5 else f"w{n}") for n in range(20) if n % 4 != 0]
answer("spark/deletion_vectors", words(*left), {0: 0, 1: 20, 2: 15, 3: 15}, "rows deleted by vectors, once and again")

make(
    "column_mapping",
    "CREATE TABLE THIS (n BIGINT, old_name STRING, gone INT) USING delta TBLPROPERTIES "
    "('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')",
    "INSERT INTO THIS VALUES (1, 'a', 10)",
    "ALTER TABLE THIS RENAME COLUMN old_name TO `new name`",
    "ALTER TABLE THIS DROP COLUMN gone",
    "INSERT INTO THIS VALUES (2, 'b')",
)
answer("spark/column_mapping", [{"n": 1, "new name": "a"}, {"n": 2, "new name": "b"}], {0: 0, 1: 1, 4: 2}, "a column renamed and one dropped")

make(
    "checkpointed",
    "CREATE TABLE THIS (n BIGINT, word STRING) USING delta PARTITIONED BY (word) TBLPROPERTIES ('delta.checkpointInterval' = '2', "
    "'delta.checkpointPolicy' = 'v2')",
    *(f"INSERT INTO THIS VALUES ({n}, {word})" for n, word in [(1, "'a'"), (2, "NULL"), (3, "'a b/c'"), (4, "'a'")]),
    "DELETE FROM THIS WHERE word = 'a'",
)
answer("spark/checkpointed", words((2, None), (3, "a b/c")), {1: 1, 4: 4, 5: 2}, "checkpoints of version 2, partitions, a partition deleted", partitionColumns=["word"])

make(
    "widened",
    "CREATE TABLE THIS (n INT, moment TIMESTAMP_NTZ) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
    "INSERT INTO THIS VALUES (1, TIMESTAMP_NTZ '2024-02-29 12:00:00.5')",
    "ALTER TABLE THIS ALTER COLUMN n TYPE BIGINT",
    "INSERT INTO THIS VALUES (5000000000, NULL)",
)
answer(
    "spark/widened",
    [dict(n=1, moment="2024-02-29T12:00:00.500000"), dict(n=5000000000, moment=None)],
    {0: 0, 1: 1, 3: 2},
    "a column widened from INT to BIGINT, times without a zone",
)

make(
    "nested",
    "CREATE TABLE THIS (n BIGINT, place STRUCT<lat: DOUBLE, tags: ARRAY<STRING>>, counts MAP<STRING, INT>) USING delta",
    "INSERT INTO THIS VALUES (1, named_struct('lat', 1.5D, 'tags', array('x', NULL)), map('a', 1, 'b', NULL)), (2, NULL, NULL)",
)
answer(
    "spark/nested",
    [
        dict(n=1, place=dict(lat=1.5, tags=["x", None]), counts=[["a", 1], ["b", None]]),
        dict(n=2, place=None, counts=None),
    ],
    {0: 0, 1: 2},
    "structs, lists and maps with nothing in them",
)

spark.stop()
shutil.rmtree(scratch, ignore_errors=True)
for one in folder.iterdir():
    tidy(one)
