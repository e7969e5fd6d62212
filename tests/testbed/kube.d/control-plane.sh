# shellcheck shell=bash
# Our own cluster's servers. Sourced, never run.

SERVERS=(etcd kube-apiserver crd-apiserver kube-controller-manager)

# program NAME: its file; fails where this kind of cluster has none.
program() {
  local file
  if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
    file=$(realpath -m "$KUBEBUILDER_ASSETS/$1") # kube-apiserver has CEL itself: no crd-apiserver
  elif [[ $1 == crd-apiserver ]]; then
    file=$(crd_program)
  else
    file=$BIN/$1
  fi
  [[ -x $file ]] && echo "$file"
}

# "NAME FILE" of the programs that a start takes; another answer means a restart.
composition() {
  local name file
  for name in "${SERVERS[@]}"; do
    if file=$(program "$name"); then echo "$name $file $SERVERS_REV"; fi
  done
}

# The servers of the cluster that was started last, whatever a start would take now.
started() { cut -d' ' -f1 "$RUN/composition" 2>/dev/null; }

admin() { "$KUBECTL" --kubeconfig="$ADMIN" --request-timeout=5s "$@"; }

# Definitions are served, and no group is still looked for at the port of an
# earlier start.
crds_served() {
  local old
  answers crd-apiserver || return 1
  old=$(admin get apiservices -l testbed/crd-apiserver \
    -o "jsonpath={.items[?(@.spec.service.port!=$(port_of crd-apiserver))].metadata.name}") || return 1
  [[ -z $old ]]
}

# The front takes over crd-apiserver's OpenAPI a moment after its requests, and
# kubectl checks manifests by it. 1.20 itself knows no selectableFields.
openapi_merged() { grep -q selectableFields < <(admin get --raw /openapi/v2); }

answers() {
  alive "$1" || return 1
  case $1 in
    etcd) tcp_open "$(port_of etcd)" ;;
    kube-apiserver) admin get --raw /readyz ;;
    crd-apiserver) admin get --raw '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=1' ;;
  esac >/dev/null 2>&1
}

healthy() {
  local name
  cmp -s "$RUN/composition" <(composition) || return 1
  for name in $(started); do answers "$name" || return 1; done
}

require_assets() {
  local name
  for name in etcd kube-apiserver kubectl; do
    [[ -x $KUBEBUILDER_ASSETS/$name ]] || die "KUBEBUILDER_ASSETS is set, but $KUBEBUILDER_ASSETS has no $name"
  done
  program kube-controller-manager >/dev/null ||
    say "no kube-controller-manager there: nothing collects garbage or ends a namespace's deletion"
}

start_servers() {
  logged setup-pki make_pki
  composition >"$RUN/composition"
  start_etcd
  write_admin_kubeconfig
  start_kube_apiserver
  if program crd-apiserver >/dev/null; then start_crd_apiserver; fi
  if program kube-controller-manager >/dev/null; then start_controller_manager; fi
}

# Plain HTTP and no fsync: a throw-away database on loopback.
start_etcd() {
  local port url
  port=$(port_of etcd)
  url=http://127.0.0.1:$port
  start etcd "$(program etcd)" --name testbed --data-dir "$DATA" \
    --listen-client-urls "$url" --advertise-client-urls "$url" \
    --listen-peer-urls http://127.0.0.1:0 --log-level warn --unsafe-no-fsync
  await etcd tcp_open "$port"
}

# Flags of both API servers.
server_flags() {
  printf '%s\n' --etcd-servers="http://127.0.0.1:$(port_of etcd)" \
    --bind-address=127.0.0.1 --secure-port="$(port_of "$1")" --profiling=false \
    --tls-cert-file="$PKI/server.crt" --tls-private-key-file="$PKI/server.key" \
    --client-ca-file="$PKI/ca.crt" \
    --requestheader-client-ca-file="$PKI/proxy-ca.crt" --requestheader-allowed-names=aggregator \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra-
}

start_kube_apiserver() {
  local flags
  mapfile -t flags < <(server_flags kube-apiserver)
  if program crd-apiserver >/dev/null; then
    flags+=("--runtime-config=apiextensions.k8s.io/v1=false,apiextensions.k8s.io/v1beta1=false")
  fi
  # Nothing else makes the default service accounts that this plugin wants.
  if ! program kube-controller-manager >/dev/null; then
    flags+=(--disable-admission-plugins=ServiceAccount)
  fi
  start kube-apiserver "$(program kube-apiserver)" "${flags[@]}" \
    --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
    --token-auth-file="$PKI/tokens.csv" --authorization-mode=RBAC \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --service-cluster-ip-range="$SERVICES.0/24" \
    --kubelet-client-certificate="$PKI/kubelet-client.crt" --kubelet-client-key="$PKI/kubelet-client.key" \
    --kubelet-preferred-address-types=InternalIP \
    --proxy-client-cert-file="$PKI/aggregator.crt" --proxy-client-key-file="$PKI/aggregator.key"
  await kube-apiserver answers kube-apiserver
  await kube-apiserver admin get --raw /api/v1/namespaces/default
}

# Rights, webhooks' namespaces and the like come from kube-apiserver. Off: what
# needs APIs that 1.20 lacks (admission policies, flow control v1).
start_crd_apiserver() {
  local flags
  mapfile -t flags < <(server_flags crd-apiserver)
  start crd-apiserver "$(program crd-apiserver)" "${flags[@]}" \
    --kubeconfig="$ADMIN" --authentication-kubeconfig="$ADMIN" --authorization-kubeconfig="$ADMIN" \
    --authentication-skip-lookup=true \
    --authorization-webhook-cache-authorized-ttl=1s --authorization-webhook-cache-unauthorized-ttl=1s \
    --enable-priority-and-fairness=false \
    --disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy \
    --front-kubeconfig="$ADMIN" --front-ca-bundle="$PKI/ca.crt"
  await crd-apiserver crds_served
  await crd-apiserver openapi_merged
}

# All controllers but those for nodes, clouds and volumes.
start_controller_manager() {
  local flags=(--secure-port=0) program
  program=$(program kube-controller-manager)
  # Gone from newer ones, which have no insecure port to close.
  if grep -q -- '^ *--port int' < <("$program" --help); then flags+=(--port=0); fi
  start kube-controller-manager "$program" "${flags[@]}" \
    --kubeconfig="$ADMIN" --authentication-kubeconfig="$ADMIN" --authorization-kubeconfig="$ADMIN" \
    --bind-address=127.0.0.1 --leader-elect=false --root-ca-file="$PKI/ca.crt" \
    --service-account-private-key-file="$PKI/sa.key" \
    --controllers='*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle,-route,-service,-ttl,-attachdetach,-persistentvolume-binder,-persistentvolume-expander,-csrsigning,-csrapproving,-csrcleaner,-bootstrapsigner,-tokencleaner'
  await kube-controller-manager admin -n default get serviceaccount default
}

stop_servers() {
  local name
  for name in kube-controller-manager crd-apiserver kube-apiserver etcd; do stop "$name"; done
}
