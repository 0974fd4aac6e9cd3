#!/usr/bin/env bash
# The Kafka broker: its jars from Maven Central. The version is in infra/kafka/pom.xml.
. "$(dirname "$0")/common.sh"
POM="$(cd "$(dirname "$0")/../kafka" && pwd)/pom.xml"
VERSION="$(version_in "$POM" kafka.version)"
TARGET="$CACHE/kafka-$VERSION"

command -v java >/dev/null 2>&1 || [ -x "${JAVA_HOME:-/nonexistent}/bin/java" ] ||
  unavailable "Kafka: off, because Java is not installed; events stay pending. Install Java 17 or newer and Maven."
[ -d "$TARGET/libs" ] && exit 0
command -v mvn >/dev/null 2>&1 ||
  unavailable "Kafka: off, because Maven (mvn) is not installed to fetch it; events stay pending. Install Maven."
lock_tool "$TARGET"
[ -d "$TARGET/libs" ] && exit 0
maven_jars "$POM" "$SCRATCH/build/libs"
compgen -G "$SCRATCH/build/libs/kafka_*.jar" >/dev/null
publish_tool "$SCRATCH/build" "$TARGET"
