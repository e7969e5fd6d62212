# shellcheck shell=bash
# The OpenStack services themselves. Sourced, never run.

http_answers() { curl -sf -o /dev/null --max-time 5 "http://$IP:$1/"; }

start_api() {
  local folder=${1%%-*}
  start "$1" "$BIN/uwsgi" --ini "$ETC/$folder/uwsgi.ini"
}

await_api() { await "$1" 120 http_answers "$(api_port "$1")"; }

# start_worker NAME [CONFIG]
start_worker() {
  local folder=${1%%-*}
  start "$1" "$BIN/$1" --config-file "$ETC/$folder/${2:-$folder.conf}"
}

bootstrap() { "$BIN/python" "$HERE/bootstrap.py" "$@"; }

start_keystone() {
  start_api keystone
  await_api keystone
  once identity bootstrap identity
}

start_services() {
  local api
  start_api placement-api
  start_worker nova-conductor
  start_worker designate-central
  start_api neutron-api
  start_api glance-api
  # The producer's first calls go to central: early ones are lost, and each
  # task of the producer then hangs for a minute.
  bootstrap rpc central || die_with_log "$LOG/designate-central.log" "designate-central does not listen"
  start_worker designate-mdns
  start_worker designate-worker
  start_worker designate-producer
  start_api designate-api
  start_api nova-api
  start_worker nova-scheduler
  start_worker heat-engine
  start_api heat-api
  await_api placement-api
  start_worker nova-compute nova-compute.conf
  for api in "${APIS[@]}"; do await_api "$api"; done
}

# The workers report to their APIs; ask until all have, unless one dies.
await_workers() {
  local name asking expected=()
  for name in "${WORKERS[@]}"; do
    if ! left_out "$name"; then expected+=("$name"); fi
  done
  bootstrap wait "${expected[@]}" 2>"$LOG/setup-wait.log" 9>&- &
  asking=$!
  while kill -0 "$asking" 2>/dev/null; do
    for name in "${expected[@]}"; do
      alive "$name" || die_with_log "$LOG/$name.log" "$name died"
    done
    sleep 0.3
  done
  wait "$asking" || die_of_missing
}

die_of_missing() {
  local name missing
  read -ra missing < <(sed -n 's/^still missing: //p' "$LOG/setup-wait.log") || true
  for name in "${missing[@]}"; do
    if [[ -e $LOG/$name.log ]]; then tail -n 40 "$LOG/$name.log" >&2; fi
  done
  die_with_log "$LOG/setup-wait.log" "services did not report in"
}

# What tests find in the cloud: made once, by the scripts as they are now.
make_contents() {
  if [[ $ETC/designate/pools.yaml -nt $STAMP/pool ]]; then rm -f "$STAMP/pool"; fi
  once pool designate_manage pool update --file "$ETC/designate/pools.yaml"
  once discover-hosts nova_manage cell_v2 discover_hosts --verbose
  once contents bootstrap contents
}
