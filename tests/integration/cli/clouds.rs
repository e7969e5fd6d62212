//! Descriptions of clouds that cannot be used, and clouds that are not there.

use rstest::rstest;

use super::support::Home;

const PASSWORD: &str = "correct-horse";

/// Port 1 (tcpmux) is served nowhere: connecting is refused at once.
fn clouds(home: &Home) {
    home.file(
        "clouds.yaml",
        &format!(
            "clouds:\n  demo:\n    auth:\n      auth_url: http://127.0.0.1:1/v3\n      username: demo\n      \
             password: {PASSWORD}\n      project_name: demo\n      user_domain_name: Default\n      \
             project_domain_name: Default\n"
        ),
    );
}

#[test]
fn an_unknown_cloud_is_named_and_so_are_those_that_exist() {
    let home = Home::new();
    clouds(&home);
    for command in ["run", "preflight", "sweep"] {
        let ended = home.run(&[command, "--os-cloud", "dmeo"]);
        ended.refuses("dmeo");
        assert!(ended.err.contains("demo"), "{ended:?}");
    }
}

#[test]
fn an_unknown_entry_for_another_role_is_named() {
    let home = Home::new();
    clouds(&home);
    home.run(&["run", "--os-cloud", "demo", "--alternate", "demo2"]).refuses("demo2");
}

#[test]
fn no_cloud_at_all_is_told() {
    Home::new().run(&["run"]).refuses("no cloud is described");
}

#[rstest]
#[case::broken("clouds: {demo: [", "clouds.yaml")]
#[case::not_clouds("clouds: correct-horse", "clouds.yaml")]
#[case::no_address("clouds: {demo: {auth: {password: correct-horse}}}", "demo")]
fn a_description_that_cannot_be_used_is_named_without_what_is_in_it(#[case] text: &str, #[case] named: &str) {
    let home = Home::new();
    home.file("clouds.yaml", text);
    let ended = home.run(&["preflight", "--os-cloud", "demo"]);
    ended.refuses(named);
    assert!(!ended.err.contains(PASSWORD), "{ended:?}");
}

#[test]
fn the_fault_in_a_secret_is_named_with_its_place() {
    let home = Home::new();
    home.file(
        "run.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: clouds}\nstringData:\n  clouds.yaml: |\n    clouds:\n      \
         demo: [correct-horse\n---\napiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nspec:\n  cloud: \
         {secretRef: {name: clouds}, zoneSuffix: a.example.}\n",
    );
    let ended = home.run(&["run", "-f", "run.yaml"]);
    ended.refuses("the Secret 'clouds' in run.yaml");
    assert!(ended.err.contains("line 2") && !ended.err.contains(PASSWORD), "{ended:?}");
}

#[test]
fn a_path_in_a_secret_is_not_read() {
    let home = Home::new();
    home.file(
        "run.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: clouds}\nstringData:\n  clouds.yaml: |\n    clouds:\n      \
         demo:\n        cacert: /etc/passwd\n        auth: {auth_url: 'http://127.0.0.1:1/v3', username: u, \
         password: p, project_name: p}\n---\napiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nspec:\n  \
         cloud: {secretRef: {name: clouds}, zoneSuffix: a.example.}\n",
    );
    home.run(&["run", "-f", "run.yaml"]).refuses("cacert");
}

#[test]
fn a_cloud_that_is_not_there_could_not_be_tested() {
    let home = Home::new();
    clouds(&home);
    let ended = home.run(&["run", "--os-cloud", "demo", "--output", "json", "--junit", "out.xml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["verdict"], "Errored");
    assert_eq!(report["fault"]["reason"], "CloudUnreachable", "{ended:?}");
    assert!(home.read("out.xml").contains("CloudUnreachable"));
    // In a pipe: a line an event, and nothing that moves a cursor.
    assert!(ended.err.lines().count() >= 2, "{ended:?}");
    assert!(!format!("{}{}{}", ended.out, ended.err, home.read("out.xml")).contains(PASSWORD));
    assert!(!ended.err.contains('\u{1b}'), "{ended:?}");

    let ended = home.run(&["preflight", "--os-cloud", "demo"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
    assert!(ended.err.contains("CloudUnreachable") && ended.err.contains("127.0.0.1"), "{ended:?}");
}
