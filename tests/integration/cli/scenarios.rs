//! Looking at scenarios, and developing one's own.

use serde_json::Value;

use super::support::Home;

const ZONE: &str = "\
heat_template_version: 2018-08-31
parameters:
  zone_name: {type: string}
resources:
  zone:
    type: OS::Designate::Zone
    properties: {name: {get_param: zone_name}, email: hostmaster@example.org}
";
const SCENARIO: &str = "\
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: mine}
spec:
  title: A zone is served
  variables:
    - {name: zone, value: '${test.prefix}.${run.zoneSuffix}'}
  steps:
    - name: zone
      stack: {action: create, name: zone, template: zone, parameters: {zone_name: '${vars.zone}'}}
    - name: served
      records: {zone: '${vars.zone}', only: true}
";

/// A home with a scenario's folder in it.
fn home(scenario: &str, template: &str) -> Home {
    let home = Home::new();
    home.file("own/mine/scenario.yaml", scenario);
    home.file("own/mine/zone.hot.yaml", template);
    home
}

#[test]
fn the_list_says_what_scenarios_need_and_is_filtered_by_tag() {
    let list = |arguments: &[&str]| -> Vec<Value> {
        let ended = Home::new().run(&[&["scenarios", "list", "--output", "json"], arguments].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    };
    let names = |list: &[Value]| -> Vec<String> {
        list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let (all, smoke) = (list(&[]), list(&["--tags", "smoke"]));
    assert!(!smoke.is_empty() && smoke.len() < all.len());
    assert!(smoke.iter().all(|one| one["tags"].as_array().unwrap().contains(&"smoke".into())));
    assert_eq!(
        names(&list(&["--tags", "smoke,core,negative"])),
        names(&list(&["--tags", "core,negative,smoke"]))
    );
    let zone = smoke.iter().find(|one| one["name"] == "heat_zone_lifecycle").unwrap();
    assert_eq!(zone["services"], serde_json::json!(["orchestration", "dns"]));
    assert!(zone["id"].is_string() && zone["source"][0].is_string(), "{zone:#}");
    Home::new().run(&["scenarios", "list", "--tags", "smoky"]).refuses("smoky");
    let table = Home::new().run(&["scenarios", "list", "--tags", "smoke"]).out;
    assert!(
        table.starts_with("NAME") && table.contains("smoke,core") && table.contains("DURATION"),
        "{table}"
    );
}

#[test]
fn what_is_shown_is_played_as_ones_own() {
    let home = Home::new();
    let shown = home.run(&["scenarios", "show", "heat_zone_lifecycle"]).out;
    home.file("mine.yaml", &shown.replace("name: heat-zone-lifecycle", "name: mine"));
    let ended = home.run(&["try", "--latency", "zero", "--scenario", "mine.yaml", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["planned"], serde_json::json!(["user/mine"]), "only that one");
}

#[test]
fn a_folder_is_checked_and_played_with_the_templates_beside_its_document() {
    let home = home(SCENARIO, ZONE);
    for path in ["own/mine", "own/mine/", "own/mine/scenario.yaml"] {
        let checked = home.run(&["scenarios", "check", path]);
        assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{checked:?}");
    }
    let arguments =
        ["try", "--latency", "zero", "--scenario", "own/mine", "--include", "user/*", "--output", "json"];
    let ended = home.run(&arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("user/mine"), "{ended:?}");
}

#[test]
fn what_is_wrong_in_a_folder_is_named_with_its_file_and_line() {
    let scenario = home(&SCENARIO.replace("vars.zone}', only", "vars.zoen}', only"), ZONE);
    let said = scenario.run(&["scenarios", "check", "own/mine"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.starts_with("own/mine/scenario.yaml:12: spec.steps[1].records.zone"), "{said:?}");
    let template = home(SCENARIO, &ZONE.replace("Designate::Zone", "Designate::Domain"));
    let said = template.run(&["scenarios", "check", "own/mine"]);
    assert!(said.out.starts_with("own/mine/zone.hot.yaml:6: "), "{said:?}");
    let played = template.run(&["try", "--scenario", "own/mine"]);
    assert_eq!(played.code, 3, "{played:?}");
    assert!(
        played.err.contains("own/mine/zone.hot.yaml:6: ") && played.err.contains("scenarios check own/mine"),
        "{played:?}"
    );
    Home::new().run(&["try", "--scenario", "nowhere"]).refuses("nowhere");
}

#[test]
fn a_name_may_be_given_once_only() {
    let home = home(SCENARIO, ZONE);
    home.run(&["try", "--scenario", "own/mine", "--scenario", "own/mine/scenario.yaml"]).refuses("user/mine");
}
