//! What the chart renders, with every set of options, by both generations of Helm.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

use crate::helm::{Helm, chart, objects, of_kind, set};
use crate::support::{binary, finish, repository, told};

/// One of each kind of installation, and everything that can be switched on at once.
const OPTION_SETS: &[(&str, &[&str])] = &[
    ("defaults", &[]),
    ("nothing of the cluster", &["crds.install=false"]),
    ("several namespaces", &["watchNamespaces={team-a,team-b}"]),
    ("cluster-wide", &["rbac.clusterWide=true", "crds.keep=false"]),
    ("roles of one's own", &["rbac.create=false", "serviceAccount.create=false", "serviceAccount.name=mine"]),
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

fn option_set(name: &str) -> &'static [&'static str] {
    OPTION_SETS.iter().find(|(one, _)| *one == name).unwrap().1
}

fn rendered(values: &[&str]) -> Vec<Value> {
    objects(&Helm::Four.template("verify", values).unwrap())
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn strict_lint_finds_nothing_with_any_options() {
    for (name, values) in OPTION_SETS {
        for helm in [Helm::Three, Helm::Four] {
            let chart = chart();
            let mut arguments = vec!["lint", "--strict", chart.as_str()];
            arguments.extend(set(values));
            helm.run(&arguments).unwrap_or_else(|error| panic!("{name}, {helm:?}: {error}"));
        }
    }
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn both_generations_of_helm_render_the_same() {
    for (name, values) in OPTION_SETS {
        let sorted = |helm: Helm| {
            let mut all: Vec<String> =
                objects(&helm.template("verify", values).unwrap()).iter().map(Value::to_string).collect();
            all.sort();
            all
        };
        assert_eq!(sorted(Helm::Three), sorted(Helm::Four), "{name}");
    }
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn every_object_is_valid_from_kubernetes_1_30_to_1_37() {
    let distinct: BTreeSet<String> = OPTION_SETS
        .iter()
        .flat_map(|(_, values)| rendered(values))
        .map(|object| object.to_string())
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), Vec::from_iter(distinct).join("\n---\n")).unwrap();
    for minor in 30..=37 {
        let version = format!("1.{minor}");
        let validated = finish(
            Command::new(repository("tests/testbed/tool"))
                .args(["kubernetes-validate", "--strict", "--no-warn", "--kubernetes-version", &version])
                .arg(file.path()),
        );
        assert!(validated.status.success(), "Kubernetes {version}: {}", told(&validated));
    }
}

#[rstest]
#[case::kept("defaults", Some("keep"))]
#[case::not_kept("cluster-wide", None)]
#[ignore = "needs Helm: tests/run chart"]
fn the_definitions_are_those_of_the_program(#[case] options: &str, #[case] policy: Option<&str>) {
    let program = String::from_utf8(finish(binary().arg("crds")).stdout).unwrap();
    let all = rendered(option_set(options));
    let mut definitions: Vec<Value> =
        of_kind(&all, "CustomResourceDefinition").into_iter().cloned().collect();
    for definition in &mut definitions {
        let metadata = definition["metadata"].as_object_mut().unwrap();
        assert_eq!(metadata.remove("labels").unwrap()["app.kubernetes.io/managed-by"], "Helm");
        let annotations = metadata.remove("annotations").unwrap_or_default();
        assert_eq!(annotations["helm.sh/resource-policy"].as_str(), policy);
    }
    assert_eq!(definitions, objects(&program));
    assert!(of_kind(&rendered(option_set("nothing of the cluster")), "CustomResourceDefinition").is_empty());
}

#[rstest]
#[case::its_own_namespace("nothing of the cluster", &["verify"])]
#[case::others("several namespaces", &["team-a", "team-b", "verify"])]
#[ignore = "needs Helm: tests/run chart"]
fn without_cluster_wide_there_are_only_roles_of_namespaces(
    #[case] options: &str,
    #[case] namespaces: &[&str],
) {
    let all = rendered(option_set(options));
    for object in &all {
        let kind = object["kind"].as_str().unwrap();
        assert!(!kind.starts_with("Cluster"), "{object:#}");
        assert!(
            kind == "CustomResourceDefinition" || object["metadata"]["namespace"].is_string(),
            "{object:#}"
        );
    }
    let mut found: Vec<&str> =
        of_kind(&all, "Role").iter().map(|role| role["metadata"]["namespace"].as_str().unwrap()).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, namespaces);
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn no_role_reads_more_of_secrets_than_one_by_its_name() {
    let mut rules_of_secrets = 0;
    for (name, values) in OPTION_SETS {
        for role in rendered(values).iter().filter(|object| object["rules"].is_array()) {
            for rule in role["rules"].as_array().unwrap() {
                assert!(!rule.to_string().contains('*'), "{name}: {rule}");
                if rule["resources"].as_array().unwrap().contains(&"secrets".into()) {
                    rules_of_secrets += 1;
                    assert_eq!(rule["verbs"], serde_json::json!(["get"]), "{name}: {rule}");
                }
            }
        }
    }
    assert!(rules_of_secrets > 0);
}

/// The standard: <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>.
#[test]
#[ignore = "needs Helm: tests/run chart"]
fn every_pod_keeps_the_restricted_standard_with_a_read_only_root() {
    let mut containers = 0;
    for (name, values) in OPTION_SETS {
        for object in rendered(values) {
            let spec = match object["kind"].as_str().unwrap() {
                "Deployment" => &object["spec"]["template"]["spec"],
                "Pod" => &object["spec"],
                _ => continue,
            };
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            for loosened in ["hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers"] {
                assert!(spec[loosened].is_null(), "{name}: {loosened}");
            }
            for container in spec["containers"].as_array().unwrap() {
                containers += 1;
                let context = &container["securityContext"];
                assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(context["capabilities"], serde_json::json!({ "drop": ["ALL"] }), "{name}");
                assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
                assert!(context["privileged"].is_null() && context["runAsUser"].is_null(), "{name}");
                assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
            }
        }
    }
    assert!(containers >= OPTION_SETS.len());
}

#[rstest]
#[case::one("defaults", 0)]
#[case::three("everything", 1)]
#[ignore = "needs Helm: tests/run chart"]
fn a_disruption_budget_is_there_only_for_several_replicas(#[case] options: &str, #[case] budgets: usize) {
    assert_eq!(of_kind(&rendered(option_set(options)), "PodDisruptionBudget").len(), budgets);
}

#[rstest]
#[case::unknown(&["replica=2"], "replica")]
#[case::unknown_inside(&["rbac.clusterwide=true"], "clusterwide")]
#[case::too_few(&["replicas=0"], "replicas")]
#[case::log_format(&["controller.logFormat=xml"], "logFormat")]
#[case::installation(&["controller.installation=My Site"], "installation")]
#[case::namespaces(&["rbac.clusterWide=true", "watchNamespaces={a}"], "watchNamespaces must be empty")]
#[case::replicas_of_simcloud(&["simcloud.enabled=true", "replicas=2"], "replicas must be 1")]
#[ignore = "needs Helm: tests/run chart"]
fn a_wrong_value_is_refused_by_its_name(#[case] values: &[&str], #[case] words: &str) {
    for helm in [Helm::Three, Helm::Four] {
        let refused = helm.template("verify", values).unwrap_err();
        assert!(refused.contains(words), "{helm:?}: {refused}");
    }
}

/// The program itself is asked: it ends with 3 (bad input) for an argument that it does not know.
#[test]
#[ignore = "needs Helm: tests/run chart"]
fn the_program_knows_every_argument_that_pods_are_given() {
    let mut asked = 0;
    for (name, values) in OPTION_SETS {
        for object in rendered(values) {
            for spec in [&object["spec"], &object["spec"]["template"]["spec"]] {
                for container in spec["containers"].as_array().into_iter().flatten() {
                    let arguments: Vec<&str> = container["args"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|one| one.as_str().unwrap())
                        .collect();
                    let told_of = finish(binary().args(&arguments).arg("--no-such-argument"));
                    let words = told(&told_of);
                    assert!(words.contains("unexpected argument '--no-such-argument'"), "{name}: {words}");
                    asked += 1;
                }
            }
        }
    }
    assert!(asked >= OPTION_SETS.len());
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn a_release_with_long_names_has_names_that_fit() {
    let release = "a-release.whose-name-is-as-long-as-helm-lets-it-be-53";
    let namespace = "a-namespace-whose-name-is-as-long-as-kubernetes-lets-it-be-too";
    let chart = chart();
    let text = Helm::Four
        .run(&["template", release, &chart, "--namespace", namespace, "--set", "simcloud.enabled=true"])
        .unwrap();
    for object in objects(&text) {
        let name = object["metadata"]["name"].as_str().unwrap();
        assert!(name.len() <= 63, "{name}");
        if object["kind"] == "Deployment" {
            let arguments = object["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap();
            let id = arguments.iter().find_map(|one| one.as_str()?.strip_prefix("--installation=")).unwrap();
            assert!(id.len() <= 40 && id.starts_with("a-namespace"), "{id}");
        }
    }
}
