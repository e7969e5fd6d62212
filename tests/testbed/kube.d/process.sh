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

# start NAME COMMAND...: in the background, in a session of its own, and without
# our lock (file descriptor 9), which it would hold for ever.
start() {
  local name=$1 log=$LOG/$1.log pid
  shift
  if alive "$name"; then return 0; fi
  if [[ -e $log ]]; then mv -f "$log" "$log.old"; fi
  setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$PID/$name.pid"
}

# await NAME COMMAND...: until COMMAND succeeds; fails at once when NAME's
# process dies.
await() {
  local name=$1 end=$((SECONDS + TESTBED_KUBE_WAIT))
  shift
  until "$@" >/dev/null 2>&1; do
    alive "$name" || die_with_log "$LOG/$name.log" "$name died"
    ((SECONDS < end)) || die_with_log "$LOG/$name.log" "$name is not ready after $TESTBED_KUBE_WAIT s ($*)"
    sleep 0.2
  done
}

# stop NAME [SIGNAL]: TERM by default, and KILL to what is left after 10 s.
stop() {
  local pid i
  if alive "$1"; then
    read -r pid _ <"$PID/$1.pid"
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
      alive "$1" || break
      sleep 0.1
    done
    if alive "$1"; then kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$PID/$1.pid"
}

tcp_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port nobody listens on, below those the kernel gives to clients.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    tcp_open "$port" || break
  done
  echo "$port"
}

# port_of NAME: the port of its last start, so that a kubeconfig in somebody's
# hands stays good; another one if that has been taken since.
port_of() {
  local file=$RUN/$1.port
  if ! alive "$1" && { [[ ! -s $file ]] || tcp_open "$(<"$file")"; }; then free_port >"$file"; fi
  cat "$file"
}
