#!/usr/bin/env bash
# Spark with Delta Lake, with which the tests read and write DataLab's tables: a Python environment with PySpark, and
# Delta's jars from Maven Central. The versions are in infra/spark/pom.xml.
. "$(dirname "$0")/common.sh"
POM="$(cd "$(dirname "$0")/../spark" && pwd)/pom.xml"
SPARK="$(version_in "$POM" spark.version)"
TARGET="$CACHE/spark-$SPARK-delta-$(version_in "$POM" delta.version)"
SKIPPED="so the tests that read and write tables with Spark are skipped"

command -v java >/dev/null 2>&1 || [ -x "${JAVA_HOME:-/nonexistent}/bin/java" ] ||
  unavailable "Spark: Java is not installed, $SKIPPED. Install Java 17 or newer, Maven, and Python 3.10 or newer with venv."
[ -x "$TARGET/bin/python" ] && exit 0
command -v mvn >/dev/null 2>&1 ||
  unavailable "Spark: Maven (mvn) is not installed to fetch Delta's jars, $SKIPPED. Install Maven."
command -v python3 >/dev/null 2>&1 ||
  unavailable "Spark: Python is not installed, $SKIPPED. Install Python 3.10 or newer with venv."
lock_tool "$TARGET"
[ -x "$TARGET/bin/python" ] && exit 0
# The interpreter of an environment finds it by its own place, so the folder may be moved when it is complete.
python3 -m venv "$SCRATCH/build" >&2 9>&- ||
  unavailable "Spark: Python's venv does not work here, $SKIPPED. Install python3-venv."
"$SCRATCH/build/bin/python" -m pip install -q "pyspark==$SPARK" >&2 9>&-
maven_jars "$POM" "$SCRATCH/build/delta-jars"
compgen -G "$SCRATCH/build/delta-jars/delta-spark_*.jar" >/dev/null
"$SCRATCH/build/bin/python" -c 'import pyspark' >&2
publish_tool "$SCRATCH/build" "$TARGET"
