#!/usr/bin/env bash
# The MLflow server in a Python environment of its own. Its packages are in infra/mlflow/requirements.txt.
. "$(dirname "$0")/common.sh"
SOURCE="$(cd "$(dirname "$0")/../mlflow" && pwd)"
VERSION="$(sed -n 's/^mlflow==//p' "$SOURCE/requirements.txt")"
TARGET="$CACHE/mlflow-$VERSION"

# Complete, and made from these very requirements.
current() { [ -x "$TARGET/bin/python" ] && cmp -s "$SOURCE/requirements.txt" "$TARGET/requirements.txt"; }

current && exit 0
command -v python3 >/dev/null 2>&1 ||
  unavailable "MLflow: off, because Python is not installed; models cannot be registered. Install Python 3.10 or newer with venv."
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
  unavailable "MLflow: off, because it needs Python 3.10 or newer; models cannot be registered. Install one with venv."
lock_tool "$TARGET"
current && exit 0
python3 -m venv "$SCRATCH/build" >&2 9>&- ||
  unavailable "MLflow: off, because Python's venv does not work here; models cannot be registered. Install python3-venv."
# What is imported is compiled then; all of it would take half a minute of a processor that Temporal's build waits for.
pip_install() { "$SCRATCH/build/bin/python" -m pip install -q --no-compile --disable-pip-version-check -r "$SOURCE/requirements.txt" "$@" >&2 9>&-; }
# The exact packages that were tried; where one of them does not exist for this Python, the newest that fit.
pip_install -c "$SOURCE/constraints.txt" || pip_install
"$SCRATCH/build/bin/python" -c 'import mlflow.server, xgboost' >&2
# The interpreter finds its environment by its own place, but its scripts name the folder in which they were made.
sed -i "1s|^#!$SCRATCH/build/|#!$TARGET/|" "$SCRATCH"/build/bin/* 2>/dev/null || true
cp "$SOURCE/requirements.txt" "$SCRATCH/build/requirements.txt"
publish_tool "$SCRATCH/build" "$TARGET"
