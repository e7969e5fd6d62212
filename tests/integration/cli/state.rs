//! What the command line remembers between runs.

use super::support::Home;

const LEDGER: &str = r#"{
  "origin": {"cloud": "CLOUD"},
  "run": {"installation": "ci", "runId": "0123456789ab", "started": "2026-11-01T12:00:00Z"},
  "entries": [{"number": 1, "testPrefix": "to-0123456789ab-0", "step": "create", "role": "primary",
    "undo": {"kind": "stack", "name": "to-0123456789ab-0-net", "id": null}}]
}"#;

const CLOUDS: &str = "clouds: {demo: {auth: {auth_url: 'http://127.0.0.1:1/v3', username: u, password: p, \
                      project_name: p, user_domain_name: d, project_domain_name: d}}}";

fn left_by_a_run_on(cloud: &str) -> Home {
    let home = Home::new();
    home.file("clouds.yaml", CLOUDS);
    home.file(".local/state/tempest-operator/ci/0123456789ab.json", &LEDGER.replace("CLOUD", cloud));
    home
}

#[test]
fn what_a_run_that_died_left_is_named_with_the_command_that_undoes_it() {
    let home = left_by_a_run_on("demo");
    let ended = home.run(&["run", "--os-cloud", "demo", "--installation", "ci"]);
    assert!(ended.err.contains("run 0123456789ab"), "{ended:?}");
    assert!(ended.err.contains("next: tempest-operator sweep --os-cloud demo"), "{ended:?}");
    let others = home.run(&["run", "--os-cloud", "demo"]);
    assert!(!others.err.contains("0123456789ab"), "another installation's: {others:?}");
}

#[test]
fn a_ledger_stays_when_its_cloud_cannot_be_reached() {
    let home = left_by_a_run_on("demo");
    let ended = home.run(&["sweep", "--os-cloud", "demo", "--installation", "ci"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("stack to-0123456789ab-0-net"), "{ended:?}");
    assert!(
        home.read(".local/state/tempest-operator/ci/0123456789ab.json").contains("to-0123456789ab-0-net")
    );
}

#[test]
fn a_ledger_of_another_cloud_is_named_and_kept() {
    let home = left_by_a_run_on("other");
    let ended = home.run(&["sweep", "--os-cloud", "demo", "--installation", "ci"]);
    assert!(ended.err.contains("next: tempest-operator sweep --os-cloud other"), "{ended:?}");
    assert!(
        home.read(".local/state/tempest-operator/ci/0123456789ab.json").contains("to-0123456789ab-0-net")
    );
}

#[test]
fn a_run_that_made_nothing_leaves_nothing() {
    let home = Home::new();
    home.file("clouds.yaml", CLOUDS);
    for _ in 0..2 {
        let ended = home.run(&["run", "--os-cloud", "demo", "--state-dir", "state"]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(!ended.err.contains("was not cleaned up"), "{ended:?}");
    }
    let id = home.read("state/installation");
    let ledgers: Vec<_> = home.list(&format!("state/{}", id.trim()));
    assert_eq!(ledgers, Vec::<String>::new());
}

#[test]
fn an_installation_that_would_leave_its_directory_is_refused() {
    let home = Home::new();
    home.file("clouds.yaml", CLOUDS);
    home.run(&["run", "--os-cloud", "demo", "--installation", "../other"]).refuses("../other");
}

#[test]
fn a_state_directory_that_cannot_be_used_is_named() {
    let home = Home::new();
    home.file("clouds.yaml", CLOUDS);
    home.file("state", "a file");
    let ended = home.run(&["run", "--os-cloud", "demo", "--state-dir", "state"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("the state directory state cannot be used"), "{ended:?}");
    assert!(ended.err.contains("  next: "), "{ended:?}");
}
