#!/usr/bin/env bash
# Runs DataLab on this machine. ./manage.sh --help lists the commands.
set -euo pipefail
ROOT="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
cd "$ROOT"
STATE="${DATALAB_STATE_DIR:-.datalab}"
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true

usage() {
  cat <<'TEXT'
Usage: ./manage.sh <command> [options]

  demo          prepare and start everything, run the main job on real stock prices, show the numbers and addresses
  test [tier…]  prepare what the tests need and run them: static unit contract golden spark workflow replay faults e2e
  start         prepare and start what does not run       (--only, --without temporal,s3,kafka,mlflow,worker,model-server,dashboard)
  stop          stop the worker, then the services
  restart       stop, then start
  status        which processes run
  health        ask every service in its own protocol; exit code 1 when a required one is down
  logs [name]   show the log of one service or of all     (-f follows)
  urls          addresses to open
  credentials   the keys of the S3 gateway
  clean         stop everything and delete its data       (asks; --yes does not)
  flows-init    create or update the schedules
  flows-status  list the schedules

Every command has --help. Data, logs and secrets are in .datalab (DATALAB_STATE_DIR moves it); ports are set by
DATALAB_TEMPORAL_PORT, DATALAB_TEMPORAL_UI_PORT, DATALAB_S3_PORT, DATALAB_KAFKA_PORT, DATALAB_KAFKA_CONTROLLER_PORT, DATALAB_MLFLOW_PORT,
DATALAB_MODEL_SERVER_PORT, DATALAB_DASHBOARD_PORT.
Exit codes: 0 done, 1 not done, 2 wrong usage.
TEXT
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

. infra/prepare-tools.sh

platform() {
  [ -f dist/platform/main.js ] || prepare node || exit 1
  node dist/platform/main.js "$@"
}

wants_help() {
  local argument
  for argument in "$@"; do
    case "$argument" in -h | --help) return 0 ;; esac
  done
  return 1
}

# help_of <command>: for the commands that are not those of dist/platform/main.js, which have help of their own.
help_of() {
  case "$1" in
    demo)
      cat <<'TEXT'
Usage: ./manage.sh demo

Prepares what is missing (npm packages, Temporal, S3 gateway, Kafka, MLflow), starts what does not run, creates the
schedules, runs medallion-etl-daily on data/samples/stocks.csv.gz, and shows the ledger, the quality score, the tables
and the addresses. Repeating it is safe: what was taken in already is found, and nothing is published twice.
Ctrl-C leaves what is prepared and started; ./manage.sh stop ends it.
Exit code: 0 when the run completed, 1 when it failed or nothing could start.
TEXT
      ;;
    test)
      cat <<'TEXT'
Usage: ./manage.sh test [tier...]

Prepares what the tests need and runs them, on services, ports and folders of their own, also beside a started platform.
Tiers: static unit contract golden spark workflow replay faults e2e; without one, all. One folder: npx vitest run test/delta
A tier whose tool is missing is skipped with its reason, and fails where CI is set.
Exit code: 0 when all passed, 1 when one failed or none ran, 2 for an unknown tier.
TEXT
      ;;
    flows-init)
      cat <<'TEXT'
Usage: ./manage.sh flows-init [--json]

Creates the schedules that are missing and updates those that differ; an operator's pause stays. The same as
`npx datalab schedules apply`. Exit code: 0 done, 2 wrong configuration, 3 Temporal did not answer.
TEXT
      ;;
    flows-status)
      cat <<'TEXT'
Usage: ./manage.sh flows-status [--json]

Lists the schedules with their next time and their last run. The same as `npx datalab schedules list`.
Exit code: 0 done, 2 wrong configuration, 3 Temporal did not answer.
TEXT
      ;;
    *) if [ -f dist/platform/main.js ]; then node dist/platform/main.js "$1" --help; else usage; fi ;;
  esac
}

# What the services need. MLflow has a library more where its artifacts go to S3.
tools_of_services() {
  printf 'node temporal versitygw kafka mlflow'
  case "${DATALAB_MLFLOW_ARTIFACTS:-}" in s3://*) printf ' mlflow-s3' ;; esac
}

COMMAND="${1:-help}"
[ $# -eq 0 ] || shift
case "$COMMAND" in
  demo | test | start | stop | restart | status | health | logs | urls | credentials | clean | flows-init | flows-status)
    if wants_help "$@"; then
      help_of "$COMMAND"
      exit 0
    fi
    ;;
esac
case "$COMMAND" in
  demo)
    # shellcheck disable=SC2046
    prepare $(tools_of_services) || exit 1
    platform start
    node dist/cli/main.js schedules apply
    node dist/cli/main.js demo "$@"
    printf '\nAddresses\n'
    platform urls
    cat <<'TEXT'

Next
  npx datalab tables query "SELECT symbol, max(close) FROM silver.stocks GROUP BY 1"
  ./manage.sh demo      again: nothing is taken in twice
  ./manage.sh stop      end it; the data stays
TEXT
    ;;
  test)
    # Without the program of today nothing can be tested; without a tool its tiers say so themselves.
    SAY_LEFT_OUT=yes prepare node temporal versitygw kafka mlflow mlflow-s3 test-server python spark || true
    case "$UNPREPARED" in
      *" node "*)
        printf '0 passed, 1 failed, 0 skipped\n'
        exit 1
        ;;
    esac
    exec node infra/test.mjs "$@"
    ;;
  start | restart)
    # shellcheck disable=SC2046
    prepare $(tools_of_services) || exit 1
    platform "$COMMAND" "$@"
    ;;
  stop | status | health | logs | urls | credentials | clean) platform "$COMMAND" "$@" ;;
  flows-init | flows-status)
    [ -f dist/cli/main.js ] || prepare node || exit 1
    if [ "$COMMAND" = flows-init ]; then node dist/cli/main.js schedules apply "$@"; else node dist/cli/main.js schedules list "$@"; fi
    ;;
  help | -h | --help) usage ;;
  *)
    printf 'no command is called %s\n\n' "$COMMAND" >&2
    usage >&2
    exit 2
    ;;
esac
