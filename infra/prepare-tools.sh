# Prepares tools side by side and shows how far each is; sourced by manage.sh. What each tool takes is in prepare/*.sh.
# A tool's output goes to $STATE/logs/prepare-<tool>.log; the one sentence of a tool that could not be had stays in
# $STATE/run/prepare-<tool>.txt, where `start` and `health` find it.

# The tools that the last preparation could not have, each between blanks.
UNPREPARED=" "
PREPARE_GROUPS=()

# Seconds that a tool takes on two cores where nothing of it is cached and all of them are prepared at once.
expected_seconds() {
  case "$1" in
    node) echo 60 ;;
    temporal) echo 240 ;;
    versitygw) echo 120 ;;
    mlflow) echo 90 ;;
    mlflow-s3) echo 120 ;;
    python) echo 40 ;;
    spark) echo 60 ;;
    *) echo 20 ;;
  esac
}

# Runs one preparation script and records how it ended. Exit code 3: this machine cannot have the tool, and the sentence
# says what it would take.
prepare_one() {
  local tool="$1" began=$SECONDS log="$STATE/logs/prepare-$1.log" said="$STATE/run/prepare-$1.txt" sentence status=0
  sentence="$(bash "infra/prepare/$tool.sh" 2>"$log")" || status=$?
  if [ "$status" -eq 0 ]; then
    rm -f "$said"
  else
    if [ "$status" -ne 3 ] && grep -q 'No space left on device' "$log"; then
      sentence="the disk is full: free space, or set DATALAB_CACHE_DIR to a folder on another disk"
    fi
    printf '%s\n' "${sentence:-it could not be prepared; $log says why}" >"$said"
  fi
  printf '%s %s\n' "$status" $((SECONDS - began)) >"$STATE/run/prepare-$tool.result.tmp"
  mv "$STATE/run/prepare-$tool.result.tmp" "$STATE/run/prepare-$tool.result"
}

# outcome_line <tool> <status> <seconds>: what is printed for good; nothing for a tool that was there already.
outcome_line() {
  local said="$STATE/run/prepare-$1.txt" log="$STATE/logs/prepare-$1.log"
  case "$2" in
    0) [ "$3" -lt 2 ] || printf 'prepared    %s in %s s\n' "$1" "$3" ;;
    3)
      # `start` says it for its services, right after the preparation.
      if [ "${SAY_LEFT_OUT:-}" = yes ] || [ "$1" = temporal ] || [ "$1" = node ]; then printf 'left out    %s\n' "$(cat "$said")"; fi
      ;;
    *)
      printf 'failed      %s: %s\n' "$1" "$(cat "$said" 2>/dev/null || echo "it was ended; see $log")"
      tail -n 5 "$log" 2>/dev/null | sed 's/^/            /'
      ;;
  esac
}

# progress_line <tool> <seconds so far>: `temporal    [######--------------]  64 s of about 240 s`
progress_line() {
  local about full
  about="$(expected_seconds "$1")"
  full=$(($2 * 20 / about))
  [ "$full" -le 19 ] || full=19
  printf '%-12s[%s%s] %3s s of about %s s' "$1" "$(printf '%*s' "$full" '' | tr ' ' '#')" \
    "$(printf '%*s' $((20 - full)) '' | tr ' ' '-')" "$2" "$about"
}

interrupt_preparation() {
  local group
  for group in "${PREPARE_GROUPS[@]}"; do kill -TERM -- "-$group" 2>/dev/null || true; done
  printf '\nstopped; what is prepared is kept, and the same command goes on from there\n' >&2
  exit 130
}

# Waits for the tools, whose process groups are PREPARE_GROUPS, in the same order. On a terminal the tools that are still
# at work are a live line each; elsewhere a plain line now and then.
watch_preparation() {
  local tools=("$@") began=$SECONDS shown=0 told=0 i tool elapsed status seconds lines running done_with=" " text
  while :; do
    lines="" running=()
    for i in "${!tools[@]}"; do
      tool="${tools[$i]}"
      case "$done_with" in *" $tool "*) continue ;; esac
      # Looked at before the result is: a process that ended in between has left one.
      status=alive
      kill -0 "${PREPARE_GROUPS[$i]}" 2>/dev/null || status=gone
      if [ -f "$STATE/run/prepare-$tool.result" ]; then
        read -r status seconds <"$STATE/run/prepare-$tool.result"
      elif [ "$status" = gone ]; then
        status=1 seconds=0
      else
        running+=("$tool")
        continue
      fi
      done_with+="$tool "
      [ "$status" -eq 0 ] || UNPREPARED+="$tool "
      text="$(outcome_line "$tool" "$status" "$seconds")"
      [ -z "$text" ] || lines+="$text"$'\n'
    done
    elapsed=$((SECONDS - began))
    if [ -t 1 ] && [ "$shown" -gt 0 ]; then printf '\033[%sA\033[J' "$shown"; fi
    shown=0
    printf '%s' "$lines"
    [ "${#running[@]}" -gt 0 ] || return 0
    if [ -t 1 ]; then
      if [ "$elapsed" -ge 1 ]; then
        for tool in "${running[@]}"; do printf '%s\n' "$(progress_line "$tool" "$elapsed")"; done
        shown=${#running[@]}
      fi
    elif [ "$elapsed" -ge 2 ] && { [ "$told" -eq 0 ] || [ $((elapsed - told)) -ge 30 ]; }; then
      for tool in "${running[@]}"; do printf 'preparing   %s: %s s of about %s s\n' "$tool" "$elapsed" "$(expected_seconds "$tool")"; done
      told=$elapsed
    fi
    sleep 0.25
  done
}

# Prepares the tools side by side. Fails when the program itself or Temporal cannot be had; the others may be left out.
prepare() {
  command -v node >/dev/null 2>&1 || fail "Node is not installed: install Node 20.19 or newer."
  command -v flock >/dev/null 2>&1 || fail "flock is not installed: install the package util-linux."
  mkdir -p "$STATE/logs" "$STATE/run" 2>/dev/null ||
    fail "$STATE cannot be made: set DATALAB_STATE_DIR to a folder that you may write to."
  local tool
  PREPARE_GROUPS=()
  trap interrupt_preparation INT TERM
  for tool in "$@"; do rm -f "$STATE/run/prepare-$tool.result"; done
  # Each preparation is a process group, so that Ctrl-C ends what it started as well. The shell says of each that it is
  # done, where that is quickly so: nobody wants to know.
  {
    set -m
    for tool in "$@"; do
      prepare_one "$tool" &
      PREPARE_GROUPS+=($!)
    done
    set +m
  } 2>/dev/null
  watch_preparation "$@"
  wait
  trap - INT TERM
  case "$UNPREPARED" in *" node "* | *" temporal "*) return 1 ;; esac
}
