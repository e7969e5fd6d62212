//! What the chart renders, with every set of options, by both generations of Helm.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

use super::options::{OPTION_SETS, option_set, rendered};
use crate::helm::{Helm, chart, objects, of_kind, set};
use crate::support::{binary, finish, repository, told};

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
            let mut all: Vec<String> = objects(&helm.template("verify", &set(values)).unwrap())
                .iter()
                .map(Value::to_string)
                .collect();
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
#[case::unknown(&["replica=2"], "replica")]
#[case::unknown_inside(&["rbac.clusterwide=true"], "clusterwide")]
#[case::too_few(&["replicas=0"], "replicas")]
#[case::log_format(&["controller.logFormat=xml"], "logFormat")]
#[case::installation(&["controller.installation=My Site"], "installation")]
#[case::lease_too_short(&["controller.leaseDuration=1s"], "leaseDuration")]
#[case::no_lease(&["controller.leaseDuration=0m"], "leaseDuration")]
#[case::lease_of_parts(&["controller.leaseDuration=3500ms"], "leaseDuration")]
#[case::pull_policy(&["image.pullPolicy=Sometimes"], "pullPolicy")]
#[case::no_network(&["networkPolicy.apiServer.cidrs={kubernetes}"], "cidrs")]
#[case::namespaces(&["rbac.clusterWide=true", "watchNamespaces={a}"], "watchNamespaces must be empty")]
#[case::replicas_of_simcloud(&["simcloud.enabled=true", "replicas=2"], "replicas must be 1")]
#[ignore = "needs Helm: tests/run chart"]
fn a_wrong_value_is_refused_by_its_name(#[case] values: &[&str], #[case] words: &str) {
    for helm in [Helm::Three, Helm::Four] {
        let refused = helm.template("verify", &set(values)).unwrap_err();
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

/// What the schema lets through, the program takes: else its pods would end again and again.
#[rstest]
#[case::shortest("3s")]
#[case::longest_in_seconds("9999s")]
#[case::a_minute("1m")]
#[case::longest("999m")]
#[ignore = "needs Helm: tests/run chart"]
fn the_program_takes_every_lease_that_the_schema_does(#[case] lease: &str) {
    let all = rendered(&[&format!("controller.leaseDuration={lease}")]);
    let pod = &of_kind(&all, "Deployment")[0]["spec"]["template"]["spec"];
    let argument = format!("--lease-duration={lease}");
    assert!(pod["containers"][0]["args"].as_array().unwrap().contains(&argument.as_str().into()));
    let words = told(&finish(binary().args(["controller", &argument, "--no-such-argument"])));
    assert!(words.contains("unexpected argument '--no-such-argument'"), "{words}");
    let words = told(&finish(binary().args(["controller", "--lease-duration=2s", "--no-such-argument"])));
    assert!(words.contains("from 3s to 24h"), "values are no longer looked at first: {words}");
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

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn what_is_packaged_renders_as_the_folder_does() {
    let folder = tempfile::tempdir().unwrap();
    let destination = folder.path().to_str().unwrap();
    Helm::Four.run(&["package", &chart(), "--destination", destination]).unwrap();
    let package = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let mut arguments = vec!["template", "tempest-operator", package.to_str().unwrap()];
    arguments.extend(["--namespace", "verify"]);
    arguments.extend(set(option_set("everything")));
    assert_eq!(objects(&Helm::Four.run(&arguments).unwrap()), rendered(option_set("everything")));
}

#[test]
#[ignore = "needs Helm: tests/run chart"]
fn files_are_rendered_as_they_are() {
    let all = rendered(option_set("everything"));
    let file =
        |name: &str| fs::read_to_string(repository("charts/tempest-operator/files").join(name)).unwrap();
    let data = |name: &str| {
        let maps = of_kind(&all, "ConfigMap");
        let named = |map: &&&Value| map["metadata"]["name"] == format!("verification-{name}");
        (*maps.iter().find(named).unwrap())["data"].clone()
    };
    assert_eq!(data("dashboard")["tempest-operator.json"], file("dashboard.json"));
    let checks = data("health-checks");
    assert_eq!(checks["healthCheckExprs"], file("health/flux.yaml"));
    for kind in ["TempestRun", "TempestScenario", "TempestSchedule"] {
        let key = format!("resource.customizations.health.crossservice.dev_{kind}");
        assert_eq!(checks[&key], file(&format!("health/{kind}.lua")));
    }
    let alerts = file("alerts.yaml").replace("$namespace", "verify").replace("$job", "verification");
    let alerts: Value = serde_saphyr::from_str(&alerts).unwrap();
    assert_eq!(of_kind(&all, "PrometheusRule")[0]["spec"], alerts);
}
