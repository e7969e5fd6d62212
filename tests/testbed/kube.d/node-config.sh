# shellcheck shell=bash
# What the programs on a node are told. Sourced, never run.

configure_node() {
  mkdir -p "$NODE/etc/cni"
  containerd_config >"$NODE/etc/containerd.toml"
  network_config >"$NODE/etc/cni/10-node.conflist"
  kubelet_config >"$NODE/etc/kubelet.yaml"
}

# Nothing is ever pulled. Without CAP_SYS_RESOURCE (nested machines) nothing may lower its oom_score_adj.
containerd_config() {
  cat <<END
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$NODE/etc/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
END
}

network_config() {
  cat <<END
{"cniVersion": "0.4.0", "name": "node", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$(pod_network)"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
}

# Logs and exec are for the API server's certificate and whom RBAC lets. A full disk or a busy machine is no reason to
# throw a test's pods out; quick reactions matter more than little traffic.
kubelet_config() {
  cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $(node_ip)
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
readOnlyPort: 0
cgroupDriver: cgroupfs
cgroupRoot: /$NODE_CGROUP
failSwapOn: false
makeIPTablesUtilChains: true
oomScoreAdj: 0
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [$(node_ip)]
maxPods: 100
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
imageGCHighThresholdPercent: 100
syncFrequency: 10s
nodeStatusUpdateFrequency: 2s
configMapAndSecretChangeDetectionStrategy: Watch
END
}
