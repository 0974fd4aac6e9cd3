"""One Spark session for all tests of the tier. Every line of standard input is `{"sql": [statement, ...]}`, every line of
standard output the answer: `{"rows": [...]}` of the last statement, or `{"error": text}`. Ends with its input.
Arguments: the folder of Delta's jars, and a folder for what Spark writes on the side.
"""
import datetime
import decimal
import glob
import json
import os
import sys

# What the tests read; whatever else a library prints goes to standard error.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

jars, scratch = sys.argv[1:3]
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
# Both ends count times in UTC: PySpark hands timestamps out in the zone of its process.
os.environ["TZ"] = "UTC"

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, MapType, StructType, TimestampType

# The other jars in the folder are there in Spark's own versions.
delta_jars = [jar for name in ("delta-*.jar", "unitycatalog-*.jar") for jar in sorted(glob.glob(os.path.join(jars, name)))]
settings = {
    "spark.driver.extraClassPath": os.pathsep.join(delta_jars),
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.local.dir": scratch,
    "spark.log.level": "ERROR",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.warehouse.dir": os.path.join(scratch, "warehouse"),
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.enableVectorizedReader": "true",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "1",
    # Hundreds of statements over a few rows each: what makes long ones faster makes these slower.
    "spark.sql.adaptive.enabled": "false",
    # Compiling each plan costs more than running it over so few rows. Parquet is read by columns all the same.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # VACUUM lists a table's folders in as many tasks, ten thousand of them where nothing is said.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
builder = SparkSession.builder.master("local[2]").appName("datalab-tests")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()


def plain(value, kind):
    """The canonical JSON of test/golden/canonical.ts."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        return {field.name: plain(value[field.name], field.dataType) for field in kind.fields}
    if isinstance(kind, ArrayType):
        return [plain(item, kind.elementType) for item in value]
    if isinstance(kind, MapType):
        pairs = [[plain(key, kind.keyType), plain(item, kind.valueType)] for key, item in value.items()]
        return sorted(pairs, key=json.dumps)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + ("Z" if isinstance(kind, TimestampType) else "")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return "x" + bytes(value).hex()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


def answer(request):
    frame = None
    for statement in request["sql"]:
        frame = spark.sql(statement)
    return {"rows": [plain(row, frame.schema) for row in frame.collect()]}


def say(line):
    answers.write(json.dumps(line) + "\n")
    answers.flush()


say({"rows": [{"version": spark.version}]})
for line in sys.stdin:
    try:
        say(answer(json.loads(line)))
    except Exception as error:
        say({"error": str(error)[:4000]})
spark.stop()
# An ordinary exit waits for threads of the gateway to Java.
os._exit(0)
