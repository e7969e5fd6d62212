#!/usr/bin/env bash
# Installs the operator into the cluster of the current context, verifies one cloud, and writes junit.xml.
# Ends with 0 only if the run succeeded.
set -euo pipefail

: "${CLOUDS_YAML:?the path of a clouds.yaml}"
: "${ZONE_SUFFIX:?a domain under which the project may make zones, such as dns-tests.example.org.}"
: "${CHART:=$(dirname "$0")/../../charts/tempest-operator}"
: "${NAMESPACE:=verification}"
: "${TAGS:=smoke}"
: "${TIMEOUT:=30m}"
: "${JUNIT:=junit.xml}"
run=ci-$(date -u +%Y%m%d%H%M%S)

helm upgrade --install tempest-operator "$CHART" --namespace "$NAMESPACE" --create-namespace --wait \
  ${IMAGE:+--set image.repository="${IMAGE%:*}" --set image.tag="${IMAGE##*:}"} ${HELM_VALUES:+--values "$HELM_VALUES"}

kubectl --namespace "$NAMESPACE" create secret generic "$run" --type crossservice.dev/openstack-clouds \
  --from-file clouds.yaml="$CLOUDS_YAML"

kubectl --namespace "$NAMESPACE" apply -f - <<END
apiVersion: crossservice.dev/v1alpha1
kind: TempestRun
metadata:
  name: $run
spec:
  cloud:
    secretRef: {name: $run}
    zoneSuffix: $ZONE_SUFFIX
  scenarios:
    tags: [$TAGS]
  execution: {}
END

# Whatever happens now: deleting the run waits until the cloud is clean.
trap 'kubectl --namespace "$NAMESPACE" delete tempestrun "$run" --timeout 20m; kubectl --namespace "$NAMESPACE" delete secret "$run"' EXIT

kubectl --namespace "$NAMESPACE" wait --for=condition=Finished "tempestrun/$run" --timeout "$TIMEOUT"
kubectl --namespace "$NAMESPACE" get configmap "$(kubectl --namespace "$NAMESPACE" get tempestrun "$run" \
  -o jsonpath='{.status.report.configMap}')" -o jsonpath='{.data.junit\.xml}' > "$JUNIT"
kubectl --namespace "$NAMESPACE" get tempestrun "$run"
kubectl --namespace "$NAMESPACE" wait --for=condition=Succeeded "tempestrun/$run" --timeout 1s
