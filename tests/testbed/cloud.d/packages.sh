# shellcheck shell=bash
# Debian packages and the Python environment. Sourced, never run.

DEBIAN_PACKAGES=(mariadb-server rabbitmq-server memcached bind9 bind9-utils bind9-dnsutils
  eatmydata gcc libc6-dev python3-dev python3-venv procps curl)

missing_packages() {
  comm -23 <(printf '%s\n' "${DEBIAN_PACKAGES[@]}" | sort) <(
    # shellcheck disable=SC2016 # dpkg-query's own variables
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort)
}

# Debian would start each daemon with its stock configuration, some on all
# addresses; a policy-rc.d that says no prevents it.
without_daemons() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -e $policy ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  "$@" || status=$?
  rm -f "$policy"
  return "$status"
}

install_packages() {
  local need
  mapfile -t need < <(missing_packages)
  if ((${#need[@]} == 0)); then return 0; fi
  say "apt-get install ${need[*]}"
  without_daemons apt_install "${need[@]}" >>"$LOG/setup-apt.log" 2>&1 ||
    die_with_log "$LOG/setup-apt.log" "apt-get install"
}

pip_install() {
  "$BIN/pip" install -q -U pip setuptools wheel &&
    "$BIN/pip" install -r "$HERE/requirements.txt" -c "$HERE/constraints.txt" &&
    cp -r "$HERE/ml2_loopback_driver" "$1" && # pip builds inside the source folder
    "$BIN/pip" install --no-deps --no-build-isolation --force-reinstall "$1/ml2_loopback_driver"
}

# One venv holds all the services, at exactly the versions of constraints.txt
# ("pip freeze" of an environment that worked).
install_venv() {
  local sum scratch
  sum=$(cat "$HERE"/{requirements,constraints}.txt "$HERE"/ml2_loopback_driver/{pyproject.toml,*/*.py} |
    sha256sum | cut -c1-12)
  if [[ -e $VENV/.complete-$sum ]]; then return 0; fi
  say "pip install of the OpenStack services into $VENV (some minutes)"
  if [[ ! -x $BIN/pip ]]; then
    "$TESTBED_PYTHON" -m venv "$VENV" || die "no Python environment can be made in $VENV"
  fi
  scratch=$(mktemp -d)
  pip_install "$scratch" >>"$LOG/setup-pip.log" 2>&1 || die_with_log "$LOG/setup-pip.log" "pip install"
  rm -rf "$scratch"
  touch "$VENV/.complete-$sum"
}
