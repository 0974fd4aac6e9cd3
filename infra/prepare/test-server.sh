#!/usr/bin/env bash
# Temporal's time-skipping test server, for the workflow tests: its jars from Maven Central and a script that starts it.
. "$(dirname "$0")/common.sh"
POM="$(cd "$(dirname "$0")/../temporal-test-server" && pwd)/pom.xml"
VERSION="$(version_in "$POM" temporal.version)"
TARGET="$CACHE/temporal-test-server-$VERSION"

command -v java >/dev/null 2>&1 ||
  unavailable "Workflow tests: off, because Java is not installed. Install Java 17 or newer and Maven."
[ -x "$TARGET/start" ] && exit 0
command -v mvn >/dev/null 2>&1 ||
  unavailable "Workflow tests: off, because Maven (mvn) is not installed to fetch the test server. Install Maven."
lock_tool "$TARGET"
[ -x "$TARGET/start" ] && exit 0
maven_jars "$POM" "$SCRATCH/build/libs"
compgen -G "$SCRATCH/build/libs/temporal-test-server-*.jar" >/dev/null
cat >"$SCRATCH/build/start" <<'START'
#!/usr/bin/env bash
exec java -Xmx256m -cp "$(cd "$(dirname "$0")" && pwd)/libs/*" io.temporal.testserver.TestServer "$@"
START
chmod +x "$SCRATCH/build/start"
publish_tool "$SCRATCH/build" "$TARGET"
