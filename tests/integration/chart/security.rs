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

/// What a network policy of these values lets out but for DNS: to whom, and by which ports.
fn let_out(values: &[&str]) -> Vec<(Value, Vec<u64>)> {
    let all = rendered(&[&["networkPolicy.enabled=true"], values].concat());
    let policy = &of_kind(&all, "NetworkPolicy")[0]["spec"];
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["ingress"], json!([{ "ports": [{ "protocol": "TCP", "port": "http" }] }]));
    let mut rules = policy["egress"].as_array().unwrap().iter();
    let dns = json!([{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }]);
    assert_eq!(rules.next(), Some(&json!({ "ports": dns })), "to anywhere: NodeLocal DNSCache is link-local");
    let ports = |rule: &Value| {
        rule["ports"].as_array().unwrap().iter().map(|one| one["port"].as_u64().unwrap()).collect()
    };
    rules.map(|rule| (rule["to"].clone(), ports(rule))).collect()
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn the_network_policy_lets_out_nothing_but_dns_to_link_local_addresses() {
    let rules = let_out(&[]);
    let ports: Vec<&[u64]> = rules.iter().map(|(_, ports)| ports.as_slice()).collect();
    assert_eq!(ports, [&[443, 6443][..], &[80, 443, 5000, 8774, 8004, 9292, 9696, 9001]]);
    for (to, ports) in rules {
        let everywhere = json!([
            { "ipBlock": { "cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"] } },
            { "ipBlock": { "cidr": "::/0", "except": ["fe80::/10"] } },
        ]);
        assert_eq!(to, everywhere, "{ports:?}");
    }
}

/// HTTPS is a port of the API server as well.
#[test]
#[ignore = "needs Helm: tests/run chart"]
fn the_network_policy_lets_out_only_to_the_networks_that_are_given() {
    let given =
        ["networkPolicy.apiServer.cidrs={10.0.0.1/32}", "networkPolicy.openstack.cidrs={192.0.2.0/24}"];
    let networks: Vec<Value> = let_out(&given).into_iter().map(|(to, _)| to).collect();
    let only = |cidr: &str| json!([{ "ipBlock": { "cidr": cidr } }]);
    assert_eq!(networks, [only("10.0.0.1/32"), only("192.0.2.0/24")]);
    // What a site adds is let out as it is told.
    let more =
        ["networkPolicy.egress[0].ports[0].port=4318", "networkPolicy.egress[0].to[0].podSelector.x=y"];
    assert_eq!(let_out(&more)[2], (json!([{ "podSelector": { "x": "y" } }]), vec![4318]));
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

/// The roles are one choice, the accounts another.
#[rstest]
#[case::both(&[], &["verify/tempest-operator", "verify/tempest-operator-run"])]
#[case::roles_of_ones_own(&["rbac.create=false"], &["verify/tempest-operator", "verify/tempest-operator-run"])]
#[case::accounts_of_ones_own(&["serviceAccount.create=false", "serviceAccount.name=mine"], &[])]
#[case::elsewhere(
    &["rbac.create=false", "watchNamespaces={team-a,team-b}"],
    &["team-a/tempest-operator-run", "team-b/tempest-operator-run", "verify/tempest-operator"]
)]
#[case::cluster_wide(&["rbac.clusterWide=true"], &["verify/tempest-operator", "verify/tempest-operator-run"])]
#[ignore = "needs Helm: tests/run chart"]
fn accounts_are_made_or_not_whoever_makes_the_roles(#[case] values: &[&str], #[case] accounts: &[&str]) {
    let all = rendered(values);
    let mut made: Vec<String> = of_kind(&all, "ServiceAccount")
        .iter()
        .map(|one| &one["metadata"])
        .map(|one| format!("{}/{}", one["namespace"].as_str().unwrap(), one["name"].as_str().unwrap()))
        .collect();
    made.sort();
    assert_eq!(made, accounts);
    let roles = of_kind(&all, "RoleBinding");
    assert_eq!(roles.is_empty(), values.contains(&"rbac.create=false"), "{roles:#?}");
    // Whoever made it, the pods of runs are told of the account that has the rights.
    let deployment = of_kind(&all, "Deployment")[0].to_string();
    assert!(deployment.contains("\"--job-service-account=tempest-operator-run\""), "{deployment}");
}

/// A site that forbids pulling, or wants each tag looked up anew, means all pods.
#[test]
#[ignore = "needs Helm: tests/run chart"]
fn pods_of_runs_pull_as_the_operator_does() {
    let all = rendered(&["image.pullPolicy=Never"]);
    let container = &of_kind(&all, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["imagePullPolicy"], "Never");
    assert!(container["args"].as_array().unwrap().contains(&"--job-image-pull-policy=Never".into()));
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
