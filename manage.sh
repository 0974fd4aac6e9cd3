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
  test [tier…]  prepare what the tests need and run them: static unit contract golden workflow replay faults e2e
  start         prepare and start what does not run       (--only, --without temporal,s3,kafka,mlflow,worker)
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
DATALAB_TEMPORAL_PORT, DATALAB_TEMPORAL_UI_PORT, DATALAB_S3_PORT, DATALAB_KAFKA_PORT, DATALAB_KAFKA_CONTROLLER_PORT, DATALAB_MLFLOW_PORT.
Exit codes: 0 done, 1 not done, 2 wrong usage.
TEXT
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Prepares one tool: its output goes to a log, its one sentence and its time to the person who waits.
# Exit code 3: this machine cannot have it, and the sentence says what it would take.
prepare_one() {
  local tool="$1" began=$SECONDS log="$STATE/logs/prepare-$1.log" sentence status=0
  sentence="$(bash "infra/prepare/$tool.sh" 2>"$log")" || status=$?
  if [ "$status" -eq 0 ]; then
    [ $((SECONDS - began)) -lt 2 ] || printf 'prepared    %s in %s s\n' "$tool" $((SECONDS - began))
  elif [ "$status" -eq 3 ]; then
    printf 'left out    %s\n' "$sentence"
  else
    printf 'failed      %s: %s (log: %s)\n' "$tool" "${sentence:-it could not be prepared}" "$log"
    tail -n 5 "$log" | sed 's/^/            /'
  fi
  return "$status"
}

# The tools that the last preparation could not have, each between blanks.
UNPREPARED=" "

# Prepares the tools side by side. Fails when the program itself or Temporal cannot be had; the others may be left out.
prepare() {
  command -v node >/dev/null 2>&1 || fail "Node is not installed: install Node 20.19 or newer."
  command -v flock >/dev/null 2>&1 || fail "flock is not installed: install the package util-linux."
  mkdir -p "$STATE/logs"
  local tool pids=() tools=("$@") status=0 i
  set -m # Each preparation is a process group, so that Ctrl-C ends what it started as well.
  for tool in "${tools[@]}"; do
    prepare_one "$tool" &
    pids+=($!)
  done
  set +m
  trap 'for p in "${pids[@]}"; do kill -TERM -- "-$p" 2>/dev/null || true; done; exit 130' INT TERM
  for i in "${!pids[@]}"; do
    if ! wait "${pids[$i]}"; then
      UNPREPARED+="${tools[$i]} "
      case "${tools[$i]}" in node | temporal) status=1 ;; esac
    fi
  done
  trap - INT TERM
  return "$status"
}

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

COMMAND="${1:-help}"
[ $# -eq 0 ] || shift
case "$COMMAND" in
  demo)
    if wants_help "$@"; then usage; exit 0; fi
    prepare node temporal versitygw kafka mlflow || exit 1
    platform start
    node dist/cli/main.js schedules apply
    node dist/cli/main.js demo "$@"
    platform urls
    ;;
  test)
    if wants_help "$@"; then usage; exit 0; fi
    # Without the program of today nothing can be tested; without a tool its tiers say so themselves.
    prepare node temporal versitygw kafka mlflow test-server python || true
    case "$UNPREPARED" in
      *" node "*)
        printf '0 passed, 1 failed, 0 skipped\n'
        exit 1
        ;;
    esac
    exec node infra/test.mjs "$@"
    ;;
  start | restart)
    if ! wants_help "$@"; then prepare node temporal versitygw kafka mlflow || exit 1; fi
    platform "$COMMAND" "$@"
    ;;
  stop | status | health | logs | urls | credentials | clean) platform "$COMMAND" "$@" ;;
  flows-init | flows-status)
    if wants_help "$@"; then usage; exit 0; fi
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
