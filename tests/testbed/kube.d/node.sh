# shellcheck shell=bash
# A node for the cluster, so that pods run: a set of Linux namespaces with containerd, kubelet, kube-proxy and
# cluster DNS (node-init), and kube-scheduler beside it. Sourced, never run.
#
# What the node mounts, its addresses, routes and rules, and every process and container of it live in those namespaces
# and go with them. Outside are only: a pair of network interfaces with one route, one cgroup in every hierarchy,
# kube-scheduler, and socat.

NODE_NAME=node
NODE_CGROUP=tempest-testbed-$TESTBED_KUBE_CLUSTER

# The network of its pods is NET.0/24; machine and node meet in the last four addresses of the next one.
node_net() {
  local net third
  if [[ ! -s $RUN/node.net ]]; then
    while :; do
      third=$((RANDOM % 128 * 2))
      net=10.$((128 + RANDOM % 64)).$third
      if [[ -z $(ip -4 route show to match "$net.1" table all | grep -v ^default) ]]; then break; fi
    done
    echo "$net" >"$RUN/node.net"
  fi
  cat "$RUN/node.net"
}

link_net() {
  local net
  net=$(node_net)
  echo "${net%.*}.$((${net##*.} + 1))"
}

pod_network() { echo "$(node_net).0/24"; }
host_ip() { echo "$(link_net).253"; }
node_ip() { echo "$(link_net).254"; }
node_link() { node_net | tr -d . | sed 's/^/testbed/'; }

node_up() {
  if external; then die "a node is only for a cluster of our own"; fi
  [[ -z ${KUBEBUILDER_ASSETS:-} ]] || die "a node is only for servers of our own build, not for KUBEBUILDER_ASSETS"
  require_node_machine
  if node_runs; then
    say "the node is up"
    return 0
  fi
  install_node_tools
  build_kubernetes "${PROGRAMS_OF_NODE[@]}"
  build_pause
  stop_node
  say "starting the node"
  start_node
  say "the node is up"
}

require_node_machine() {
  [[ $EUID == 0 ]] || die "a node needs root"
  [[ -d /sys/fs/cgroup/memory ]] ||
    die "this machine has version 2 of cgroups only, and this kubelet wants version 1 (kernel: systemd.unified_cgroup_hierarchy=0)"
}

# A cluster that was started anew is another one.
node_of() { cat "$PID/kube-apiserver.pid"; }

node_runs() {
  alive node && alive kube-scheduler && cmp -s "$RUN/node.of" <(node_of) && node_is_ready
}

node_is_ready() {
  [[ $(admin get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

install_node_tools() {
  local need=() one
  for one in containerd:containerd runc:runc socat:socat iptables:iptables ip:iproute2 dnsmasq:dnsmasq-base gcc:gcc; do
    command -v "${one%%:*}" >/dev/null || need+=("${one#*:}")
  done
  [[ -x /usr/lib/cni/bridge ]] || need+=(containernetworking-plugins)
  if ((${#need[@]} == 0)); then return 0; fi
  say "apt-get install ${need[*]}"
  logged setup-node-apt apt_install "${need[@]}" libc6-dev
}

start_node() {
  local api_port
  api_port=$(port_of kube-apiserver)
  wipe_node # its disk is a new one each time
  mkdir -p "$NODE"
  configure_node
  make_node_cgroups
  # What of the node leads to the API server, which listens on this machine's loopback only.
  start node-api env --chdir="$NODE" socat -d UNIX-LISTEN:api.sock,fork,mode=600,backlog=128 "TCP:127.0.0.1:$api_port"
  start kube-scheduler "$NODE_BIN/kube-scheduler" --kubeconfig="$ADMIN" \
    --authentication-kubeconfig="$ADMIN" --authorization-kubeconfig="$ADMIN" \
    --leader-elect=false --port=0 --secure-port=0
  # unshare itself stays outside the new pid namespace; the kernel ends all that is in it with its process 1.
  start node env --chdir="$NODE" \
    NODE="$NODE" NODE_BIN="$NODE_BIN" NODE_NAME="$NODE_NAME" PAUSE="$PAUSE" LOG="$LOG" \
    KUBECTL="$KUBECTL" KUBECONFIG="$ADMIN" API_PORT="$api_port" \
    HOST_IP="$(host_ip)" NODE_IP="$(node_ip)" POD_NETWORK="$(pod_network)" HOST_ADDRESSES="$(host_addresses)" \
    unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc "$HERE/node-init"
  await node has_own_network
  link_node
  logged node-endpoints tell_endpoints
  await node node_is_ready
  # Admission taints a new node; the controller that takes the taint off does not run, and so never empties a silent node.
  admin taint node "$NODE_NAME" node.kubernetes.io/not-ready:NoSchedule- >/dev/null 2>&1 || true
  node_of >"$RUN/node.of"
}

host_addresses() { ip -4 -o addr show scope global | awk '{sub("/.*", "", $4); print $4}'; }

node_pid() { cut -d' ' -f1 "$PID/node.pid"; }

has_own_network() {
  local own
  own=$(readlink "/proc/$(node_pid)/ns/net") && [[ $own != "$(readlink /proc/self/ns/net)" ]]
}

# The machine reaches pods by this route: to show their logs, and for what the API server proxies.
link_node() {
  local link
  link=$(node_link)
  ip link del "$link" 2>/dev/null || true
  ip link add "$link" type veth peer name eth0 netns "$(node_pid)"
  ip addr add "$(host_ip)/30" dev "$link"
  ip link set "$link" up
  ip route add "$(pod_network)" via "$(node_ip)"
}

# The API server was told not to look after its own service.
tell_endpoints() {
  admin apply -f - <<END
apiVersion: v1
kind: Endpoints
metadata: {name: kubernetes, namespace: default}
subsets: [{addresses: [{ip: $(node_ip)}], ports: [{name: https, port: $(port_of kube-apiserver)}]}]
END
}

# A parent of its own in every hierarchy.
make_node_cgroups() {
  local hierarchy file
  for hierarchy in /sys/fs/cgroup/*/; do
    mkdir -p "$hierarchy$NODE_CGROUP"
    for file in cpuset.cpus cpuset.mems; do
      if [[ -e $hierarchy$file ]]; then cat "$hierarchy$file" >"$hierarchy$NODE_CGROUP/$file"; fi
    done
  done
}

# in_node COMMAND...
in_node() {
  local pid
  alive node || die "there is no node: kube node up"
  pid=$(node_pid)
  nsenter -t "$pid" --mount --net --uts --ipc --pid="/proc/$pid/ns/pid_for_children" -- "$@"
}

node_image() { in_node ctr -n k8s.io images import - <"$1" >/dev/null; }

# Over TCP and UDP: name servers are asked by both.
node_forward() {
  local port
  alive node || die "there is no node: kube node up"
  for port in "$@"; do
    start "node-forward-$port-tcp" socat -d "TCP-LISTEN:$port,bind=$(host_ip),fork,reuseaddr" "TCP:127.0.0.1:$port"
    start "node-forward-$port-udp" socat -d -T 30 "UDP4-LISTEN:$port,bind=$(host_ip),fork,reuseaddr" "UDP4:127.0.0.1:$port"
    await "node-forward-$port-tcp" port_is_forwarded "$port"
  done
}

port_is_forwarded() { (exec 3<>"/dev/tcp/$(host_ip)/$1") 2>/dev/null; }

stop_node() {
  local file
  stop node KILL # and with it every process, mount and container
  stop kube-scheduler
  for file in "$PID"/node-*.pid; do
    if [[ -e $file ]]; then stop "$(basename "$file" .pid)"; fi
  done
  if [[ -e $RUN/node.of ]] && answers kube-apiserver; then forget_node; fi
  rm -f "$RUN/node.of"
  if [[ -s $RUN/node.net ]]; then ip link del "$(node_link)" 2>/dev/null || true; fi
  remove_node_cgroups
  wipe_node
}

forget_node() {
  admin delete pods -A --field-selector="spec.nodeName=$NODE_NAME" --grace-period=0 --force --wait=false >/dev/null 2>&1 || true
  admin delete node "$NODE_NAME" --ignore-not-found >/dev/null 2>&1 || true
}

# Children first. The kernel empties them within moments.
remove_node_cgroups() {
  local hierarchy i
  for hierarchy in /sys/fs/cgroup/*/"$NODE_CGROUP"; do
    for ((i = 0; i < 50; i++)); do
      if [[ ! -d $hierarchy ]] || find "$hierarchy" -depth -type d -exec rmdir {} + 2>/dev/null; then break; fi
      sleep 0.1
    done
  done
}

wipe_node() { rm -rf "${NODE:?}"; }
