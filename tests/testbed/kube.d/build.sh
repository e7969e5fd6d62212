# shellcheck shell=bash
# Kubernetes' servers, and what runs on a node, from Debian's source package, with
# the compiler of the same suite. Sourced, never run.

# discard FOLDER: of a build that is done.
discard() {
  if [[ $TESTBED_KEEP_BUILD == 1 ]]; then return 0; fi
  chmod -R u+w "$1"
  rm -rf "$1"
}

# from_source NAME: where that program is when it is compiled.
from_source() {
  case " ${PROGRAMS_OF_NODE[*]} " in
    *" $1 "*) echo "$NODE_BIN/$1" ;;
    *) echo "$BIN/$1" ;;
  esac
}

are_built() {
  local name
  for name in "$@"; do [[ -x $(from_source "$name") ]] || return 1; done
}

# build_kubernetes NAME...: those, and then all the others, too: nearly all of the time
# goes into getting the source and into what they share.
build_kubernetes() {
  local dir=$BUILD/kubernetes name
  if are_built "$@"; then return 0; fi
  install_tools
  if [[ ! -e $dir/.source ]]; then
    say "downloading Kubernetes' source and its compiler (125 MB)"
    logged get-kubernetes fetch_kubernetes "$dir"
    logged prepare-kubernetes prepare_kubernetes "$dir"
    touch "$dir/.source"
  fi
  for name in "${SERVERS_OF_SOURCE[@]}" "${PROGRAMS_OF_NODE[@]}"; do
    if are_built "$name"; then continue; fi
    say "compiling $name $K8S_VERSION (the first program: 5 to 8 minutes on 2 cores; each other one up to 1)"
    logged "build-$name" compile_kubernetes "$dir" "$name"
  done
  discard "$dir"
}

fetch_kubernetes() {
  local dir=$1 version
  rm -rf "$dir/dl" "$dir/root"
  suite_open "$dir" "$K8S_SUITE" deb deb-src
  version=$(suite_apt "$dir" apt-cache showsrc --only-source kubernetes |
    awk '/^Version: /{print $2}' | grep -F "$K8S_SOURCE" | sort -V | tail -n 1)
  [[ -n $version ]] || die "$K8S_SUITE has no kubernetes $K8S_SOURCE source any more"
  mkdir "$dir/dl"
  (cd "$dir/dl" && suite_apt "$dir" apt-get source --download-only "kubernetes=$version")
  suite_get "$dir" "golang-$K8S_GO-go" "golang-$K8S_GO-src" golang-github-modern-go-reflect2-dev
}

# Kubernetes' own generators, and the links from vendor/ into staging/, want the
# tree at this place of a GOPATH.
kubernetes_tree() { echo "$1/gopath/src/k8s.io/kubernetes"; }

prepare_kubernetes() {
  local dir=$1 tree patch reflect=github.com/modern-go/reflect2
  tree=$(kubernetes_tree "$dir")
  rm -rf "$dir/gopath"
  mkdir -p "$tree"
  tar xf "$dir"/dl/kubernetes_*.orig.tar.gz --strip-components=1 -C "$tree"
  # The vendored reflect2 1.0.1 reads Go's map iterators by their layout before Go
  # 1.18: with a newer Go the server dies of SIGSEGV on the first custom resource.
  # Debian's 1.0.2 is the fix and changes nothing else.
  rm -rf "$tree/vendor/$reflect"
  cp -r "$dir/root/usr/share/gocode/src/$reflect" "$tree/vendor/$reflect"
  for patch in "$HERE"/patches/*.patch; do
    patch --batch -d "$tree" -p1 <"$patch"
  done
  use_go "$dir" "$dir/root/usr/lib/go-$K8S_GO" "$dir/gopath"
  generate_openapi "$dir" "$tree"
}

# use_go FOLDER GOROOT GOPATH: modules off (everything is in the GOPATH), nothing
# from or to the user's own Go settings.
use_go() {
  export GOROOT=$2 GOPATH=$3 GOCACHE=$1/gocache GOTMPDIR=$1/tmp GOENV=off
  export GO111MODULE=off GOFLAGS='' GOTOOLCHAIN=local CGO_ENABLED=0
  export GOGC=${GOGC:-300} # memory for speed: the compiler collects less often
  mkdir -p "$GOTMPDIR"
}

go_build() { nice -n 10 "$GOROOT/bin/go" build -trimpath "$@"; }

# The one generated file that the source package lacks. The inputs are upstream's:
# every package with the tag; its list of known style violations tells whether they
# were the right ones.
generate_openapi() {
  local dir=$1 tree=$2 inputs
  cd "$tree" || return
  go_build -o "$dir/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
  inputs=$(find -L pkg plugin cmd vendor/k8s.io -name '*.go' \
    -not -path 'vendor/k8s.io/code-generator/*' -not -path 'vendor/k8s.io/sample-*' \
    -not -path 'vendor/k8s.io/gengo/*' -not -path 'vendor/k8s.io/kube-openapi/*' \
    -exec grep -l '+k8s:openapi-gen=' {} + |
    sed 's#/[^/]*$##' | LC_ALL=C sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
  "$dir/openapi-gen" --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi \
    -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt \
    -r "$dir/violations"
  cmp "$dir/violations" api/api-rules/violation_exceptions.list
}

# compile_kubernetes FOLDER NAME: cmd/NAME, stamped like a release.
compile_kubernetes() {
  local dir=$1 name=$2 tree package flags='-s -w'
  tree=$(kubernetes_tree "$dir")
  use_go "$dir" "$dir/root/usr/lib/go-$K8S_GO" "$dir/gopath"
  for package in component-base/version client-go/pkg/version; do
    package=k8s.io/kubernetes/vendor/k8s.io/$package
    flags+=" -X $package.gitVersion=$K8S_VERSION -X $package.gitMajor=1 -X $package.gitMinor=20"
    flags+=" -X $package.gitTreeState=archive"
  done
  cd "$tree" || return
  go_build -ldflags "$flags" -o "$dir/$name" "k8s.io/kubernetes/cmd/$name"
  install -D -m 755 "$dir/$name" "$(from_source "$name")"
}
