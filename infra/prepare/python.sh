#!/usr/bin/env bash
# A Python environment with delta-rs, with which the tests read DataLab's tables.
. "$(dirname "$0")/common.sh"
VERSION=1.6.6
TARGET="$CACHE/python-deltalake-$VERSION"

[ -x "$TARGET/bin/python" ] && exit 0
command -v python3 >/dev/null 2>&1 ||
  unavailable "Python: not installed, so the tests that read tables with delta-rs are skipped. Install Python 3.10 or newer with venv."
lock_tool "$TARGET"
[ -x "$TARGET/bin/python" ] && exit 0
# The interpreter of an environment finds it by its own place, so the folder may be moved when it is complete.
python3 -m venv "$SCRATCH/build" >&2 9>&- ||
  unavailable "Python: venv does not work here, so the tests that read tables with delta-rs are skipped. Install python3-venv."
"$SCRATCH/build/bin/python" -m pip install -q "deltalake==$VERSION" pyarrow >&2 9>&-
"$SCRATCH/build/bin/python" -c 'import deltalake' >&2
publish_tool "$SCRATCH/build" "$TARGET"
