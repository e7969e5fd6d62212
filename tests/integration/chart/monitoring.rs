//! The alerts and the dashboard, by Prometheus' own tool.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::options::rendered;
use crate::helm::of_kind;
use crate::support::{finish, repository, told};

fn promtool(arguments: &[&str]) {
    let ended = finish(Command::new(repository("tests/testbed/tool")).arg("promtool").args(arguments));
    assert!(ended.status.success(), "{}", told(&ended));
}

#[test]
#[ignore = "needs promtool: tests/run chart"]
fn every_alert_is_heard_when_it_should_be_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let all = rendered(&["metrics.prometheusRule.enabled=true"]);
    let rules = of_kind(&all, "PrometheusRule")[0]["spec"].to_string();
    fs::write(folder.path().join("rules.yaml"), rules).unwrap();
    let tests = folder.path().join("alerts.yaml");
    fs::copy(repository("tests/integration/chart/alerts.yaml"), &tests).unwrap();
    promtool(&["test", "rules", tests.to_str().unwrap()]);
}

/// The Prometheus operator's target labels `namespace`, `service` and `job` are of the Service, and one that a metric has
/// as well replaces the metric's: <https://prometheus.io/docs/prometheus/latest/configuration/configuration/> (`honor_labels`).
#[test]
#[ignore = "needs Helm: tests/run chart"]
fn alerts_select_what_the_service_monitor_gives() {
    let values = ["metrics.prometheusRule.enabled=true", "metrics.serviceMonitor.enabled=true"];
    let all = rendered(&[&values[..], &["fullnameOverride=mine"]].concat());
    let service = &of_kind(&all, "Service")[0]["metadata"];
    let (namespace, name) = (service["namespace"].as_str().unwrap(), service["name"].as_str().unwrap());
    let selected = format!("namespace=\"{namespace}\", job=\"{name}\"");
    let rules = &of_kind(&all, "PrometheusRule")[0]["spec"]["groups"][0]["rules"];
    for rule in rules.as_array().unwrap() {
        assert!(rule["expr"].as_str().unwrap().contains(&selected), "{rule:#}");
        // Of two releases, Alertmanager would take one for the other.
        assert_eq!((&rule["labels"]["namespace"], &rule["labels"]["job"]), (&namespace.into(), &name.into()));
    }
    let monitor = &of_kind(&all, "ServiceMonitor")[0]["spec"];
    let dropped = json!([{ "action": "labeldrop", "regex": "service" }]);
    assert_eq!(monitor["endpoints"][0]["relabelings"], dropped);
    assert!(monitor["jobLabel"].is_null(), "job is the Service's name");
}

/// What Grafana puts in for its variables is any duration.
#[test]
#[ignore = "needs promtool: tests/run chart"]
fn every_panel_of_the_dashboard_asks_what_prometheus_understands() {
    let dashboard = fs::read_to_string(repository("charts/tempest-operator/files/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let mut rules = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let asked = target["expr"].as_str().unwrap();
            let asked = asked.replace("$__rate_interval", "5m").replace("$__range", "1h");
            rules.push(json!({ "record": format!("panel:{}", rules.len()), "expr": asked }));
        }
    }
    assert!(rules.len() > 10);
    let file = tempfile::NamedTempFile::new().unwrap();
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(file.path(), groups.to_string()).unwrap();
    promtool(&["check", "rules", file.path().to_str().unwrap()]);
}
