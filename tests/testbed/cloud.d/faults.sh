# shellcheck shell=bash
# Faults on purpose. A fault is a file in $BROKEN: whoever writes configuration
# or starts a process looks there, so that bringing the cloud up again makes a
# fault true, or undoes it. Sourced, never run.

broken() { [[ -e $BROKEN/$1 ]]; }

list_broken() {
  local fault
  for fault in "${FAULTS[@]}"; do
    if broken "$fault"; then echo "$fault"; fi
  done
}

# left_out SERVICE: is it a fault that it does not run?
left_out() {
  case $1 in
    named2) broken ns2 ;;
    designate-worker) broken designate-worker ;;
    *) false ;;
  esac
}

stop_left_out() {
  local name
  for name in "${SERVICES[@]}"; do
    if left_out "$name" && alive "$name"; then
      say "$name: stopped on purpose"
      stop "$name"
    fi
  done
}

# The catalogue's address of Designate follows the fault; the stamp says what
# the catalogue holds, to spare an unchanged one the questions.
fit_catalogue() {
  local want=real
  if broken designate-endpoint; then want=closed; fi
  if [[ -e $STAMP/endpoint && $(<"$STAMP/endpoint") == "$want" ]]; then return 0; fi
  bootstrap endpoint "$want" >>"$LOG/setup-endpoint.log" 2>&1 ||
    die_with_log "$LOG/setup-endpoint.log" "the catalogue's DNS endpoint"
  echo "$want" >"$STAMP/endpoint"
}

is_fault() {
  local fault
  for fault in "${FAULTS[@]}"; do
    [[ $1 == "$fault" ]] && return 0
  done
  die "no such fault: $1 (there are: ${FAULTS[*]})"
}
