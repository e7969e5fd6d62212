//! The chart's files agree with each other, with the program and with the documentation. Needs no Helm.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use serde_json::Value;

use crate::support::repository;

fn file(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&file(path)).unwrap()
}

/// The paths of a schema's properties, and those that are objects of free keys.
fn known(schema: &Value, path: &str, all: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        all.insert(path.clone());
        known(property, &path, all);
    }
    if schema["properties"].is_object() && schema["title"].is_null() {
        assert_eq!(schema["additionalProperties"], false, "{path} is not strict");
    }
}

fn leaves(value: &Value, path: &str, known: &BTreeSet<String>, all: &mut BTreeSet<String>) {
    let inner = known.iter().any(|one| one.starts_with(&format!("{path}/")));
    for (name, value) in value.as_object().filter(|_| inner).into_iter().flatten() {
        let path = format!("{path}/{name}");
        all.insert(path.clone());
        leaves(value, &path, known, all);
    }
}

#[test]
fn the_schema_knows_exactly_the_values_that_there_are() {
    let schema: Value = serde_json::from_str(&file("charts/tempest-operator/values.schema.json")).unwrap();
    let mut in_schema = BTreeSet::new();
    known(&schema, "", &mut in_schema);
    let mut in_values = BTreeSet::new();
    leaves(&yaml("charts/tempest-operator/values.yaml"), "", &in_schema, &mut in_values);
    // A parent chart's, which Helm hands to every chart.
    in_schema.remove("/global");
    assert_eq!(in_schema, in_values);
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn the_chart_has_the_version_of_the_program() {
    let chart = yaml("charts/tempest-operator/Chart.yaml");
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_chart_tells_artifact_hub_of_every_definition() {
    let chart = yaml("charts/tempest-operator/Chart.yaml");
    let told: Vec<Value> =
        serde_saphyr::from_str(chart["annotations"]["artifacthub.io/crds"].as_str().unwrap()).unwrap();
    let told: BTreeSet<String> = told.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    let definitions = fs::read_dir(repository("charts/tempest-operator/files/crds")).unwrap();
    let there = definitions.map(|entry| {
        let path = entry.unwrap().path();
        format!("{}.crossservice.dev", path.file_stem().unwrap().to_str().unwrap())
    });
    assert_eq!(told, there.collect());
}

#[test]
fn the_alerts_are_the_documented_ones() {
    let documented: BTreeSet<(String, String)> = file("docs/observability.md")
        .split("### Alerts")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            let (_, _, expression, wait) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
            Some((expression.trim_matches('`').to_owned(), wait.to_owned()))
        })
        .collect();
    let alerts = yaml("charts/tempest-operator/files/alerts.yaml");
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    let shipped = rules.iter().map(|rule| {
        let wait = rule["for"].as_str().unwrap_or_default();
        (rule["expr"].as_str().unwrap().to_owned(), wait.to_owned())
    });
    assert_eq!(documented, shipped.collect());
    for rule in rules {
        let alert = rule["alert"].as_str().unwrap();
        assert!(
            file("docs/observability.md").contains(&format!("| `{alert}` |")),
            "{alert} is not documented"
        );
    }
}

/// Else one release's answers are hidden by another's, and each failure is heard once a release.
#[test]
fn every_question_to_prometheus_is_about_one_release() {
    let metric = Regex::new(r"tempest_operator_\w+(\{[^}]*\})?").unwrap();
    let scope = "{namespace=\"$namespace\", job=\"$job\"";
    let alerts = yaml("charts/tempest-operator/files/alerts.yaml");
    let rules = alerts["groups"][0]["rules"].as_array().unwrap().iter().map(|rule| &rule["expr"]);
    let dashboard: Value =
        serde_json::from_str(&file("charts/tempest-operator/files/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut asked = 0;
    for expression in rules.chain(targets.map(|target| &target["expr"])) {
        let expression = expression.as_str().unwrap();
        for found in metric.captures_iter(expression) {
            asked += 1;
            let selector = found.get(1).map_or("", |selector| selector.as_str());
            assert!(selector.starts_with(scope), "{expression}");
        }
    }
    assert!(asked > 15, "{asked}");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "namespace", "job"]);
}

/// What a user copies into Argo CD's and Flux's configuration is what the chart has, and what `gitops.rs` tests.
#[test]
fn the_gitops_examples_have_the_very_health_checks() {
    let config = yaml("examples/gitops/argo-cd/argocd-cm.yaml");
    for kind in ["TempestRun", "TempestScenario", "TempestSchedule"] {
        let key = format!("resource.customizations.health.crossservice.dev_{kind}");
        let script = file(&format!("charts/tempest-operator/files/health/{kind}.lua"));
        assert_eq!(config["data"][&key], script, "{kind}");
    }
    let expressions = yaml("charts/tempest-operator/files/health/flux.yaml");
    assert_eq!(yaml("examples/gitops/flux/verification.yaml")["spec"]["healthCheckExprs"], expressions);
}
