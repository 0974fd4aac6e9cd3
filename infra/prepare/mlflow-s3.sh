#!/usr/bin/env bash
# What MLflow needs for artifacts on S3, in a folder beside its environment. Its packages are in infra/mlflow/s3-requirements.txt.
. "$(dirname "$0")/common.sh"
SOURCE="$(cd "$(dirname "$0")/../mlflow" && pwd)"
MLFLOW="$CACHE/mlflow-$(sed -n 's/^mlflow==//p' "$SOURCE/requirements.txt")"
TARGET="$CACHE/mlflow-s3-$(sed -n 's/^boto3==//p' "$SOURCE/s3-requirements.txt")"

current() { [ -d "$TARGET/boto3" ]; }

current && exit 0
# It waits where MLflow is being prepared beside it.
[ -x "$MLFLOW/bin/python" ] || bash "$(dirname "$0")/mlflow.sh" >/dev/null ||
  unavailable "MLflow on S3: off, because MLflow itself could not be prepared; infra/prepare/mlflow.sh says why."
lock_tool "$TARGET"
current && exit 0
# What MLflow brings already, such as urllib3, stays as it is there.
"$MLFLOW/bin/python" -m pip install -q --no-compile --disable-pip-version-check --target "$SCRATCH/packages" \
  -r "$SOURCE/s3-requirements.txt" -c "$SOURCE/constraints.txt" >&2 9>&-
PYTHONPATH="$SCRATCH/packages" "$MLFLOW/bin/python" -c 'import boto3, mlflow.store.artifact.s3_artifact_repo' >&2
publish_tool "$SCRATCH/packages" "$TARGET"
