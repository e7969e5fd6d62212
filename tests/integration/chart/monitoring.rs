//! The alerts and the dashboard, by Prometheus' own tool.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{finish, repository, told};

fn promtool(arguments: &[&str]) {
    let ended = finish(Command::new(repository("tests/testbed/tool")).arg("promtool").args(arguments));
    assert!(ended.status.success(), "{}", told(&ended));
}

#[test]
#[ignore = "needs promtool: tests/run chart"]
fn every_alert_is_heard_when_it_should_be_and_only_then() {
    promtool(&["test", "rules", repository("tests/integration/chart/alerts.yaml").to_str().unwrap()]);
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
