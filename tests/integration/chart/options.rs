//! The sets of options that the chart is rendered with.

use serde_json::Value;

use crate::helm::{Helm, objects, set};

/// One of each kind of installation, and everything that can be switched on at once.
pub const OPTION_SETS: &[(&str, &[&str])] = &[
    ("defaults", &[]),
    ("nothing of the cluster", &["crds.install=false"]),
    ("several namespaces", &["watchNamespaces={team-a,team-b}"]),
    ("cluster-wide", &["rbac.clusterWide=true", "crds.keep=false"]),
    ("roles of one's own", &["rbac.create=false", "serviceAccount.create=false", "serviceAccount.name=mine"]),
    (
        "several namespaces behind policies",
        &["watchNamespaces={team-a,team-b}", "networkPolicy.enabled=true"],
    ),
    ("without pods for runs", &["jobs.enabled=false", "networkPolicy.enabled=true"]),
    ("to try it", &["simcloud.enabled=true"]),
    ("to try it elsewhere", &["simcloud.enabled=true", "watchNamespaces={team-a}"]),
    (
        "everything",
        &[
            "replicas=3",
            "fullnameOverride=verification",
            "image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "imagePullSecrets[0].name=pull",
            "rbac.clusterWide=true",
            "serviceAccount.annotations.team=net",
            "controller.installation=site-1",
            "controller.env[0].name=OTEL_SERVICE_NAME",
            "controller.env[0].value=verification",
            "podAnnotations.team=net",
            "podLabels.team=net",
            "nodeSelector.zone=a",
            "tolerations[0].key=dedicated",
            "tolerations[0].operator=Exists",
            "topologySpreadConstraints[0].maxSkew=1",
            "topologySpreadConstraints[0].topologyKey=zone",
            "topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway",
            "priorityClassName=high",
            "networkPolicy.enabled=true",
            "networkPolicy.egress[0].ports[0].port=4318",
            "metrics.serviceMonitor.enabled=true",
            "metrics.serviceMonitor.labels.release=prometheus",
            "metrics.prometheusRule.enabled=true",
            "metrics.dashboard.enabled=true",
            "gitops.healthChecks=true",
        ],
    ),
];

/// The values of one of them.
pub fn option_set(name: &str) -> &'static [&'static str] {
    OPTION_SETS.iter().find(|(one, _)| *one == name).unwrap().1
}

/// What Helm 4 renders with these values.
pub fn rendered(values: &[&str]) -> Vec<Value> {
    objects(&Helm::Four.template("verify", &set(values)).unwrap())
}
