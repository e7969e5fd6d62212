# shellcheck shell=bash
# All configuration files, and who has to be restarted for a changed one.
# Sourced, never run.

for part in "$HERE"/config/*.sh; do
  # shellcheck source=/dev/null
  . "$part"
done

configure() {
  config_rabbitmq
  config_name_servers
  config_keystone
  config_glance
  config_placement
  config_nova
  config_neutron
  config_designate
  config_heat
}

# config_folder SERVICE
config_folder() {
  case $1 in
    mariadb | memcached | epmd) echo none ;;
    *) echo "${1%%-*}" ;;
  esac
}

# outdated SERVICE: was it started before its configuration changed?
outdated() {
  local folder
  folder=$ETC/$(config_folder "$1")
  [[ -d $folder && -n $(find "$folder" -type f -newer "$PID/$1.pid" -print -quit) ]]
}

# A name server re-reads its file and keeps its zones; everybody else stops,
# and is started again with the rest.
stop_outdated() {
  local name stopping=()
  for name in "${SERVICES[@]}"; do
    if ! alive "$name" || ! outdated "$name"; then continue; fi
    say "$name: configuration changed"
    case $name in
      named*)
        rndc_to "$name" reconfig >>"$LOG/$name.log" 2>&1 || die_with_log "$LOG/$name.log" "$name: reconfig"
        touch "$PID/$name.pid"
        ;;
      *) stopping+=("$name") ;;
    esac
  done
  stop_all "${stopping[@]}"
}
