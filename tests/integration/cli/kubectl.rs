//! The kubectl plugin without a cluster, and its krew manifest.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Ended, Home};
use crate::support::{finish, repository, told};

/// Runs the program by the name by which kubectl finds it.
fn plugin(home: &Home, arguments: &[&str]) -> Ended {
    let program = home.path().join("kubectl-tempest");
    if !program.exists() {
        symlink(env!("CARGO_BIN_EXE_tempest-operator"), &program).unwrap();
    }
    let output = finish(
        Command::new(program).args(arguments).env_clear().env("HOME", home.path()).current_dir(home.path()),
    );
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[rstest]
#[case(&["--help"])]
#[case(&["run", "--help"])]
#[case(&["watch", "--help"])]
#[case(&["report", "--help"])]
#[case(&["rerun", "--help"])]
#[case(&["cancel", "--help"])]
#[case(&["list", "--help"])]
fn every_help_has_an_example_as_it_is_typed(#[case] arguments: &[&str]) {
    let ended = plugin(&Home::new(), arguments);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    assert!(ended.out.contains("Example") && ended.out.contains("Usage: kubectl tempest"), "{}", ended.out);
}

#[rstest]
#[case::no_command(&[])]
#[case::a_command_of_the_program(&["controller"])]
#[case::no_name(&["watch"])]
#[case::an_exclusion_without_a_reason(&["run", "--exclude", "heat_*"])]
#[case::everywhere_and_somewhere(&["list", "-A", "-n", "verify"])]
#[case::another_kind(&["cancel", "pod/one"])]
fn arguments_that_cannot_be_meant_end_with_3(#[case] arguments: &[&str]) {
    let ended = plugin(&Home::new(), arguments);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
}

#[rstest]
#[case::list(&["list"])]
#[case::watch(&["watch", "nightly"])]
#[case::a_kubeconfig(&["--log", "off", "list", "--kubeconfig", "nowhere"])]
#[case::a_context(&["list", "--context", "nobody"])]
fn without_a_cluster_it_is_said_what_to_set(#[case] arguments: &[&str]) {
    plugin(&Home::new(), arguments).refuses("there is no Kubernetes to ask");
}

#[test]
fn a_run_that_names_no_cloud_or_no_run_is_refused_before_a_cluster_is_asked() {
    let home = Home::new();
    plugin(&home, &["run"]).refuses("no Secret");
    plugin(&home, &["run", "-f", "nowhere.yaml"]).refuses("nowhere.yaml");
    home.file("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: clouds}\n");
    plugin(&home, &["run", "-f", "secret.yaml"]).refuses("holds no TempestRun");
}

/// An archive as a release has it, made of the program under test.
fn archive(folder: &Path, name: &str) -> String {
    let content = folder.join("content");
    fs::create_dir_all(&content).unwrap();
    let program = content.join("tempest-operator");
    if !program.exists() {
        symlink(env!("CARGO_BIN_EXE_tempest-operator"), &program).unwrap();
        fs::copy(repository("LICENSE"), content.join("LICENSE")).unwrap();
    }
    let archive = folder.join(name).display().to_string();
    let packed = finish(
        Command::new("tar")
            .args(["-czf", &archive, "-C"])
            .arg(&content)
            .args(["tempest-operator", "LICENSE"]),
    );
    assert!(packed.status.success(), "{}", told(&packed));
    archive
}

fn manifest(arguments: &[&str]) -> std::process::Output {
    finish(Command::new(repository("packaging/krew/manifest")).args(arguments))
}

/// What krew itself demands: <https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/>.
#[test]
fn the_krew_manifest_is_one_that_krew_takes() {
    let folder = tempfile::tempdir().unwrap();
    let amd64 = archive(folder.path(), "tempest-operator-linux-amd64.tar.gz");
    let arm64 = archive(folder.path(), "tempest-operator-darwin-arm64.tar.gz");
    let made = manifest(&["v1.2.3", "https://example.org", "https://example.org/v1.2.3/", &amd64, &arm64]);
    assert!(made.status.success(), "{}", told(&made));
    let manifest: Value = serde_saphyr::from_str(&String::from_utf8(made.stdout).unwrap()).unwrap();
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!((&manifest["kind"], &manifest["metadata"]["name"]), (&json!("Plugin"), &json!("tempest")));
    let spec = &manifest["spec"];
    assert_eq!(spec["version"], "v1.2.3");
    assert!(spec["homepage"].as_str().unwrap().starts_with("https://"));
    let short = spec["shortDescription"].as_str().unwrap();
    assert!(short.len() <= 50 && !short.ends_with('.'), "{short}");
    let platforms = spec["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), 2);
    for platform in platforms {
        let sum = platform["sha256"].as_str().unwrap();
        assert!(sum.len() == 64 && sum.chars().all(|one| matches!(one, '0'..='9' | 'a'..='f')), "{sum}");
        assert_eq!(platform["bin"], "tempest-operator");
        for file in platform["files"].as_array().unwrap() {
            assert!(file["from"].is_string() && file["to"].is_string(), "{file}");
        }
    }
    assert_eq!(platforms[0]["selector"]["matchLabels"], json!({ "os": "linux", "arch": "amd64" }));
    assert_eq!(platforms[1]["uri"], "https://example.org/v1.2.3/tempest-operator-darwin-arm64.tar.gz");

    // As krew installs it: the files of the archive, and a link by the plugin's name to its program.
    let installed = folder.path().join("installed");
    fs::create_dir(&installed).unwrap();
    let unpacked = finish(Command::new("tar").args(["-xzf", &amd64, "-C"]).arg(&installed));
    assert!(unpacked.status.success(), "{}", told(&unpacked));
    let link = folder.path().join("kubectl-tempest");
    symlink(installed.join(platforms[0]["bin"].as_str().unwrap()), &link).unwrap();
    let help = finish(Command::new(&link).arg("--help"));
    assert!(told(&help).contains("Usage: kubectl tempest"), "{}", told(&help));
}

#[test]
fn a_krew_manifest_is_not_made_of_what_krew_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let good = archive(folder.path(), "tempest-operator-linux-amd64.tar.gz");
    let elsewhere = archive(folder.path(), "tempest-operator-plan9-amd64.tar.gz");
    let text = folder.path().join("text-linux-amd64.tar.gz");
    File::create(&text).unwrap();
    let text = text.display().to_string();
    let (home, base) = ("https://example.org", "https://example.org/v1");
    for (arguments, words) in [
        (["1.2", home, base, &good], "'1.2' is no version"),
        (["1.2.3", home, "http://example.org", &good], "is no https URL"),
        (["1.2.3", home, base, &elsewhere], "does not end with -OS-ARCH.tar.gz"),
        (["1.2.3", home, base, &text], "is no archive"),
    ] {
        let refused = manifest(&arguments);
        assert!(!refused.status.success() && told(&refused).contains(words), "{}", told(&refused));
    }
}
