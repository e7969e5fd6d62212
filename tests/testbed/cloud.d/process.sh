# shellcheck shell=bash
# Background processes: start, look, wait, stop. Sourced, never run.
#
# A pid file holds "pid start-time": the pair is unique until the next boot, so
# a pid that the kernel has since given to somebody else is never signalled.

# start_time PID: nothing when it is gone, or only waits to be reaped.
start_time() { sed -n 's/^.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19; }

# alive NAME: is the process that "start NAME" made still there?
alive() {
  local pid born
  read -r pid born 2>/dev/null <"$PID/$1.pid" || return 1
  [[ -n $born && $(start_time "$pid") == "$born" ]]
}

# start NAME COMMAND...: in the background, in a process group of its own, and
# without our lock (file descriptor 9), which it would hold for ever.
start() {
  local name=$1 pid
  shift
  if alive "$name" || left_out "$name"; then return 0; fi
  setsid "$@" >>"$LOG/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$PID/$name.pid"
}

# await NAME SECONDS COMMAND...: until COMMAND succeeds; fails at once when
# NAME's process dies.
await() {
  local name=$1 end=$((SECONDS + $2))
  shift 2
  if left_out "$name"; then return 0; fi
  until "$@" >/dev/null 2>&1; do
    alive "$name" || die_with_log "$LOG/$name.log" "$name died"
    ((SECONDS < end)) || die_with_log "$LOG/$name.log" "$name is not ready in time"
    sleep 0.2
  done
}

# stop NAME: TERM to its process group, KILL to what is left: soon for services,
# whose state is in the database, late for those who keep it.
stop() {
  local pid i tenths=80
  if [[ $1 == mariadb || $1 == rabbitmq ]]; then tenths=300; fi
  if alive "$1"; then
    read -r pid _ <"$PID/$1.pid"
    kill -TERM -- "-$pid" 2>/dev/null || true
    for ((i = 0; i < tenths; i++)); do
      alive "$1" || break
      sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$PID/$1.pid"
}

# stop_all NAME...: side by side.
stop_all() {
  local name stopping=()
  for name in "$@"; do
    stop "$name" &
    stopping+=("$!")
  done
  if ((${#stopping[@]})); then wait "${stopping[@]}"; fi
}

# once NAME COMMAND...: unless it has succeeded before in this cloud.
once() {
  local name=$1
  shift
  if [[ -e $STAMP/$name ]]; then return 0; fi
  "$@" >>"$LOG/setup-$name.log" 2>&1 || die_with_log "$LOG/setup-$name.log" "$name"
  touch "$STAMP/$name"
}
