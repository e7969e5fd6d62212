# shellcheck shell=bash
# crd-apiserver, from Debian's golang-*-dev packages: a GOPATH, no modules.
# Sourced, never run.

# Each NAME is the package golang-NAME-dev. These are the packages that its imports come from
# (26 MB); the whole closure of k8s-apiextensions-apiserver is 12 times that, so it
# is taken only when this list no longer suffices.
CRD_PACKAGES=(
  cel-cel-go cel-expr etcd-server github-antlr4-go-antlr github-beorn7-perks github-blang-semver
  github-cenkalti-backoff-v5 github-cespare-xxhash-v2 github-coreos-go-semver github-coreos-go-systemd
  github-davecgh-go-spew github-docker-spdystream github-emicklei-go-restful github-evanphx-json-patch
  github-felixge-httpsnoop github-fsnotify-fsnotify github-fxamacker-cbor github-go-logr-logr
  github-go-logr-stdr github-go-openapi-jsonpointer github-go-openapi-jsonreference github-go-openapi-swag
  github-gogo-protobuf github-golang-protobuf-1-5 github-google-gnostic-models github-google-uuid
  github-gorilla-websocket github-grpc-ecosystem-go-grpc-middleware github-grpc-ecosystem-grpc-gateway
  github-json-iterator-go github-kylelemons-godebug github-modern-go-concurrent github-modern-go-reflect2
  github-munnerz-goautoneg github-mxk-go-flowrate github-nytimes-gziphandler github-pkg-errors
  github-pmezard-go-difflib github-prometheus-client-golang github-prometheus-client-model
  github-prometheus-common github-prometheus-procfs github-spf13-cobra github-spf13-pflag
  github-x448-float16 go.uber-multierr go.uber-zap golang-x-crypto golang-x-exp golang-x-net
  golang-x-oauth2 golang-x-oauth2-google golang-x-sync golang-x-sys golang-x-term golang-x-text
  golang-x-time google-genproto google-grpc google-protobuf gopkg-inf.v0 gopkg-natefinch-lumberjack.v2
  gopkg-yaml.v2 gopkg-yaml.v3 k8s-api k8s-apiextensions-apiserver k8s-apimachinery k8s-apiserver
  k8s-client-go k8s-component-base k8s-klog k8s-kms k8s-kube-openapi k8s-sigs-apiserver-network-proxy
  k8s-sigs-json k8s-sigs-randfill k8s-sigs-structured-merge-diff-v6 k8s-sigs-yaml k8s-streaming k8s-utils
  opentelemetry-contrib opentelemetry-otel opentelemetry-proto)

# The program belongs to this source: another one is another file.
crd_program() { echo "$BIN/crd-apiserver-$(sha256sum <"$HERE/crd-apiserver/main.go" | cut -c1-12)"; }

build_crd() {
  local dir=$BUILD/crd-apiserver program
  program=$(crd_program)
  if [[ -x $program ]]; then return 0; fi
  install_tools
  if [[ ! -e $dir/.source ]]; then
    say "downloading crd-apiserver's libraries and compiler (75 MB)"
    logged get-crd-apiserver fetch_crd "$dir"
    touch "$dir/.source"
  fi
  say "compiling crd-apiserver (3 to 7 minutes on 2 cores)"
  logged build-crd-apiserver compile_crd "$dir" "$program"
  discard "$dir"
}

fetch_crd() {
  local dir=$1 go libraries closure
  rm -rf "$dir/root"
  suite_open "$dir" "$CRD_SUITE" deb
  # The suite's default Go, the one its packages are tested with.
  go=$(suite_apt "$dir" apt-cache show golang-go | grep -oE 'golang-1\.[0-9]+-go' | sort -V | tail -n 1)
  libraries=("${CRD_PACKAGES[@]/#/golang-}")
  suite_get "$dir" "$go" "${go%-go}-src"
  get_known "$dir" "${libraries[@]/%/-dev}"
  use_crd_go "$dir"
  if "$GOROOT/bin/go" list -deps crd-apiserver >/dev/null; then return 0; fi
  echo "the short list of packages no longer suffices: taking all"
  mapfile -t closure < <(suite_apt "$dir" apt-get -o Dir::State::status=/dev/null \
    -o APT::Install-Recommends=0 -s install golang-k8s-apiextensions-apiserver-dev |
    awk '/^Inst golang-.*-dev/{print $2}')
  get_known "$dir" "${closure[@]}"
}

# get_known FOLDER PACKAGE...: those that the suite has; names come and go.
get_known() {
  local dir=$1 known
  shift
  mapfile -t known < <(comm -12 <(suite_apt "$dir" apt-cache pkgnames golang- | sort -u) \
    <(printf '%s\n' "$@" | sort -u))
  suite_get "$dir" "${known[@]}"
}

use_crd_go() {
  local dir=$1
  use_go "$dir" "$(echo "$dir"/root/usr/lib/go-*)" "$dir/gopath:$dir/root/usr/share/gocode"
  mkdir -p "$dir/gopath/src/crd-apiserver"
  cp "$HERE/crd-apiserver/main.go" "$dir/gopath/src/crd-apiserver/"
}

compile_crd() {
  local dir=$1 program=$2 version
  # 0.36.4-1 is the library of Kubernetes 1.36.4.
  version=$(suite_apt "$dir" apt-cache show golang-k8s-apiextensions-apiserver-dev |
    sed -n 's/^Version: 0\.\([0-9.]*\).*/v1.\1/p' | sort -V | tail -n 1)
  use_crd_go "$dir"
  go_build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" \
    -o "$dir/crd-apiserver" crd-apiserver
  install -D -m 755 "$dir/crd-apiserver" "$program"
}
