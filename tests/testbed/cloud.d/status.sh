# shellcheck shell=bash
# Is everything there? Sourced, never run.

# answers SERVICE: the process lives, and says something where it can be asked.
answers() {
  alive "$1" || return 1
  case $1 in
    mariadb) mariadb_answers ;;
    rabbitmq) tcp_open "$RABBIT_PORT" ;;
    memcached) tcp_open "$MEMCACHED_PORT" ;;
    named*) rndc_to "$1" status ;;
    keystone | *-api) http_answers "$(api_port "$1")" ;;
  esac >/dev/null 2>&1
}

# silent_services: those that should answer and do not, asked side by side.
silent_services() {
  local name
  for name in "${SERVICES[@]}"; do
    if left_out "$name"; then continue; fi
    { answers "$name" || echo "$name"; } &
  done
  wait
}

healthy() {
  [[ -e $STAMP/contents && -z $(silent_services) ]]
}

how_to_reach() {
  echo "clouds.yaml: $CLOUDS_YAML (demo, demo2, reader, admin, demo-appcred, demo-appcred-unrestricted)"
  echo "  export OS_CLIENT_CONFIG_FILE=$CLOUDS_YAML OS_CLOUD=demo"
  echo "name servers: $NAMESERVERS"
}

print_status() {
  local name state silent faults
  silent=" $(silent_services | tr '\n' ' ') "
  for name in "${SERVICES[@]}"; do
    state=up
    if [[ $silent == *" $name "* ]]; then state=DOWN; fi
    if left_out "$name"; then state="stopped on purpose"; fi
    printf '%-20s %s\n' "$name" "$state"
  done
  mapfile -t faults < <(list_broken)
  echo "broken on purpose: ${faults[*]:-nothing}"
  how_to_reach
  [[ -z ${silent// /} ]]
}

print_env() {
  cat <<END
TESTBED_CLOUDS_YAML=$CLOUDS_YAML
TESTBED_AUTH_URL=$KEYSTONE_URL
TESTBED_REGION=$TESTBED_REGION
TESTBED_CLOUD_PRIMARY=demo
TESTBED_CLOUD_ALTERNATE=demo2
TESTBED_CLOUD_READER=reader
TESTBED_CLOUD_ADMIN=admin
TESTBED_CLOUD_APPCRED=demo-appcred
TESTBED_CLOUD_APPCRED_UNRESTRICTED=demo-appcred-unrestricted
TESTBED_NAMESERVERS=$NAMESERVERS
TESTBED_ZONE_SUFFIX=$TESTBED_ZONE_SUFFIX
TESTBED_PUBLIC_NETWORK=public
TESTBED_PRIVATE_NETWORK=private
TESTBED_PUBLISHED_NETWORK=published
TESTBED_PUBLISHED_DUAL_NETWORK=published-dual
TESTBED_IMAGE=tiny
TESTBED_FLAVOR=m1.nano
TESTBED_PYTHON_ENV=$VENV
TESTBED_LOGS=$LOG
END
}
