# shellcheck shell=bash
# What the user is told. Sourced, never run.

say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }

die() {
  say "FAILED: $*"
  exit 1
}

# die_with_log LOGFILE MESSAGE...: the log's end first, so that a CI job's
# output explains itself.
die_with_log() {
  local log=$1
  shift
  { echo "--- last lines of $log"; tail -n 40 "$log"; echo "---"; } >&2 2>&1 || true
  die "$@"
}

# logged NAME COMMAND...: its output goes to a log file, which is shown if it fails.
# Not to be called where "set -e" is off (if, ||, &&): the first error must end it.
logged() {
  local log=$LOG/$1.log status
  shift
  set +e
  (set -e && "$@") >"$log" 2>&1
  status=$?
  set -e
  ((status == 0)) || die_with_log "$log" "$*"
}
