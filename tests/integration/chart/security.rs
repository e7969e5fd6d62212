//! What the chart gives the operator: rights, pods and network.

use rstest::rstest;
use serde_json::{Value, json};

use super::options::{OPTION_SETS, option_set, rendered};
use crate::helm::of_kind;

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
                    assert_eq!(rule["verbs"], json!(["get"]), "{name}: {rule}");
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
                assert_eq!(context["capabilities"], json!({ "drop": ["ALL"] }), "{name}");
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

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn the_network_policy_lets_out_dns_and_endpoints_but_nothing_link_local() {
    let all = rendered(option_set("everything"));
    let policy = &of_kind(&all, "NetworkPolicy")[0]["spec"];
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    let dns = json!([{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }]);
    assert_eq!(policy["egress"][0], json!({ "ports": dns }), "to anywhere");
    let endpoints = &policy["egress"][2];
    assert_eq!(endpoints["to"][0]["ipBlock"], json!({ "cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"] }));
    assert_eq!(endpoints["to"][1]["ipBlock"], json!({ "cidr": "::/0", "except": ["fe80::/10"] }));
    assert_eq!(policy["ingress"], json!([{ "ports": [{ "protocol": "TCP", "port": "http" }] }]));
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn pods_of_runs_reach_the_same_and_nobody_reaches_them() {
    let all = rendered(option_set("several namespaces behind policies"));
    let policies = of_kind(&all, "NetworkPolicy");
    let (of_runs, of_operator): (Vec<&Value>, Vec<&Value>) = policies.into_iter().partition(|policy| {
        policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "run"
    });
    let namespaces: Vec<_> = of_runs.iter().map(|policy| &policy["metadata"]["namespace"]).collect();
    assert_eq!(namespaces, ["team-a", "team-b"]);
    for policy in of_runs {
        assert_eq!(policy["spec"]["egress"], of_operator[0]["spec"]["egress"]);
        assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
        assert!(policy["spec"]["ingress"].is_null(), "{policy:#}");
    }
}

/// Whoever wants no pods for runs gives no rights for them.
#[test]
#[ignore = "needs Helm: tests/run chart"]
fn without_jobs_there_are_no_rights_for_them() {
    let all = rendered(option_set("without pods for runs"));
    for object in &all {
        let text = object.to_string();
        let of_jobs = object["kind"] != "CustomResourceDefinition"
            && (text.contains("\"batch\"") || text.contains("--job-") || text.contains("operator-run\""));
        assert!(!of_jobs, "{object:#}");
    }
    assert_eq!(of_kind(&all, "ServiceAccount").len(), 1);
    assert_eq!(of_kind(&all, "NetworkPolicy").len(), 1);
}
