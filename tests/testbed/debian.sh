# shellcheck shell=bash
# Debian's packages, installed or only unpacked. Sourced, never run.

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q &&
    apt-get install -yq --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

# unpack FOLDER COMMAND...: the packages that COMMAND downloads into where it runs, unpacked under FOLDER, never installed.
unpack() {
  local folder=$1 downloaded deb
  shift
  downloaded=$(mktemp -d)
  (cd "$downloaded" && "$@")
  mkdir -p "$folder"
  for deb in "$downloaded"/*.deb; do dpkg-deb -x "$deb" "$folder"; done
  rm -rf "$downloaded"
}
