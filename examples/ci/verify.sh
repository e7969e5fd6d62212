#!/usr/bin/env bash
# Installs the operator into the cluster of the current context, verifies one cloud, and writes junit.xml.
# Ends with 0 only if the run succeeded and the cloud is clean; else it says why.
set -euo pipefail

: "${CLOUDS_YAML:?the path of a clouds.yaml}"
: "${ZONE_SUFFIX:?a domain under which the project may make zones, such as dns-tests.example.org.}"
: "${CLOUD:=}" # more of the run's spec.cloud, such as 'primary: demo, nameservers: [192.0.2.53]'
: "${CHART:=$(dirname "$0")/../../charts/tempest-operator}"
: "${NAMESPACE:=verification}"
: "${TAGS:=smoke}"
: "${TIMEOUT:=30m}"
: "${JUNIT:=junit.xml}"
run=ci-$(date -u +%Y%m%d%H%M%S)

in_namespace() { kubectl --namespace "$NAMESPACE" "$@"; }

# A field of the run, as kubectl names it.
of_run() { in_namespace get tempestrun "$run" --output "jsonpath=$1"; }

if ! helm upgrade --install tempest-operator "$CHART" --namespace "$NAMESPACE" --create-namespace --wait \
  ${IMAGE:+--set image.repository="${IMAGE%:*}" --set image.tag="${IMAGE##*:}"} ${HELM_VALUES:+--values "$HELM_VALUES"}; then
  in_namespace get pods
  in_namespace get events --field-selector type=Warning
  exit 1
fi

# Whatever happens from now on. Deleting the run waits until the cloud is clean, which needs the Secret.
end() {
  local code=$?
  if [ "$code" -ne 0 ]; then
    of_run '{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}' >&2 || true
  fi
  in_namespace delete tempestrun "$run" --ignore-not-found --timeout 20m &&
    in_namespace delete secret "$run" --ignore-not-found || code=1
  exit "$code"
}
trap end EXIT

in_namespace create secret generic "$run" --type crossservice.dev/openstack-clouds --from-file clouds.yaml="$CLOUDS_YAML"

in_namespace apply -f - <<END
apiVersion: crossservice.dev/v1alpha1
kind: TempestRun
metadata:
  name: $run
spec:
  cloud: {secretRef: {name: $run}, zoneSuffix: $ZONE_SUFFIX${CLOUD:+, $CLOUD}}
  scenarios:
    tags: [$TAGS]
END

in_namespace wait --for=condition=Finished "tempestrun/$run" --timeout "$TIMEOUT"
in_namespace get tempestrun "$run"
report=$(of_run '{.status.report.configMap}')
if [ -n "$report" ]; then
  in_namespace get configmap "$report" --output 'jsonpath={.data.junit\.xml}' >"$JUNIT"
fi
[ "$(of_run '{.status.conditions[?(@.type=="Succeeded")].status}')" = True ]
