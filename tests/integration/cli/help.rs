use rstest::rstest;

use super::support::Home;

#[rstest]
#[case(&["--help"])]
#[case(&["try", "--help"])]
#[case(&["run", "--help"])]
#[case(&["preflight", "--help"])]
#[case(&["scenarios", "--help"])]
#[case(&["scenarios", "list", "--help"])]
#[case(&["scenarios", "show", "--help"])]
#[case(&["scenarios", "check", "--help"])]
#[case(&["sweep", "--help"])]
#[case(&["report", "--help"])]
#[case(&["simcloud", "--help"])]
#[case(&["crds", "--help"])]
#[case(&["controller", "--help"])]
#[case(&["play", "--help"])]
fn every_help_has_an_example(#[case] arguments: &[&str]) {
    let ended = Home::new().run(arguments);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    assert!(ended.out.contains("Example") && ended.out.contains("  tempest-operator"), "{}", ended.out);
}

#[test]
fn the_definitions_are_written_and_nothing_else() {
    let ended = Home::new().run(&["crds"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    assert!(ended.out.contains("name: tempestruns.crossservice.dev"), "{}", ended.out);
}

#[test]
fn the_version_is_told() {
    let ended = Home::new().run(&["--version"]);
    assert_eq!((ended.code, ended.out.starts_with("tempest-operator ")), (0, true), "{ended:?}");
}
