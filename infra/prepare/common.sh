# Shared by the preparation scripts; sourced, never run. Standard output is for one sentence to the person who waits,
# standard error for what the tools print (it goes to a log). Exit code 3: this machine cannot have the tool.
set -euo pipefail

CACHE="${DATALAB_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?HOME is not set: set DATALAB_CACHE_DIR to a folder for the tools}/.cache}/datalab}"

say() { printf '%s\n' "$*"; }

unavailable() {
  say "$*"
  exit 3
}

# Takes the lock of one tool, so that two preparations at once build it once, and sets SCRATCH to a temporary folder next
# to the target. A preparation that was killed leaves only its scratch folder, which the next holder of the lock removes.
lock_tool() {
  local target="$1"
  mkdir -p "$CACHE"
  exec 9>"$CACHE/.$(basename "$target").lock"
  flock 9
  rm -rf "$target".tmp.*
  SCRATCH="$target.tmp.$$"
  mkdir -p "$SCRATCH"
  trap 'rm -rf "$SCRATCH"' EXIT
}

# Publishes $1 as the finished tool folder $2: a reader sees it whole or not at all.
publish_tool() {
  rm -rf "$2"
  mv -T "$1" "$2"
}

# go_build <module@version> <folder>: builds a Go program into the folder. The compiler spends a third of its time on tidying
# its memory: where there is enough of that, each of its processes may fill a gigabyte first. Neither program needs C.
go_build() {
  local available
  available="$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0)"
  (
    if [ "${available:-0}" -gt 6000000 ]; then export GOGC="${GOGC:-off}" GOMEMLIMIT="${GOMEMLIMIT:-1GiB}"; fi
    export CGO_ENABLED=0 GOBIN="$2" GOFLAGS="-trimpath ${GOFLAGS:-}"
    go install -ldflags='-s -w' "$1" >&2 9>&-
  )
}

# maven_jars <pom.xml> <folder>: copies the jars that the pom lists, and what they need, into the folder.
maven_jars() {
  cp "$1" "$SCRATCH/pom.xml"
  (cd "$SCRATCH" && mvn -q -B dependency:copy-dependencies -DoutputDirectory="$2") >&2 9>&-
}

# version_in <pom.xml> <property>: the version that the pom asks for.
version_in() {
  sed -n "s:.*<$2>\(.*\)</$2>.*:\1:p" "$1"
}
