# shellcheck shell=bash
# Which cluster it is, and ways into it. Sourced, never run.

# The caller's own cluster: KUBECONFIG is set, is not ours, and answers.
external() {
  [[ -n ${KUBECONFIG:-} && $KUBECONFIG != "$ADMIN" && -x $KUBECTL ]] &&
    "$KUBECTL" get --raw /readyz --request-timeout=5s >/dev/null 2>&1
}

# The kubeconfig of the cluster that tests shall use.
current() {
  if external; then
    echo "$KUBECONFIG"
  elif [[ -e $ADMIN ]] && answers kube-apiserver; then
    echo "$ADMIN"
  else
    die "no cluster runs: kube up"
  fi
}

print_env() {
  local config
  config=$(current)
  printf '%s\n' "KUBECONFIG=$config" "KUBECTL=$KUBECTL" "HELM=$HELM" "HELM3=$HELM3"
  if alive node; then printf '%s\n' "TESTBED_NODE_HOST=$(host_ip)"; fi
}

# kubeconfig_for NAMESPACE SERVICEACCOUNT: with a token of one day.
kubeconfig_for() {
  local namespace=$1 account=$2 config server authority token
  config=$(current)
  export KUBECONFIG=$config
  server=$("$KUBECTL" config view --minify --raw -o 'jsonpath={.clusters[0].cluster.server}')
  authority=$("$KUBECTL" config view --minify --raw --flatten \
    -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')
  token=$("$KUBECTL" -n "$namespace" create token "$account" --duration=24h)
  kubeconfig "$account" "$token" "$server" "$authority" "$namespace"
}

print_status() {
  local name down=()
  if external; then
    echo "KUBECONFIG is set and answers: that cluster is used"
  else
    for name in $(started); do
      if answers "$name"; then
        printf '%-24s up\n' "$name"
      else
        printf '%-24s DOWN\n' "$name"
        down+=("$name")
      fi
    done
    echo "logs: $LOG"
    if ((${#down[@]})); then die "down: ${down[*]}"; fi
  fi
  print_env
}
