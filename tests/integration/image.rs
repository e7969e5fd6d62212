//! The operator's image: what its Dockerfile says, and how it runs as a hardened pod runs it.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{finish, repository, told};

/// What the program may add to its base, in bytes.
const MOST: u64 = 30_000_000;

fn image(arguments: &[&str]) -> Output {
    finish(Command::new(repository("tests/testbed/image")).args(arguments))
}

fn asked(arguments: &[&str]) -> String {
    let output = image(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn inspected() -> Value {
    serde_json::from_str(&asked(&["inspect"])).unwrap()
}

fn dockerfile() -> String {
    fs::read_to_string(repository("Dockerfile")).unwrap()
}

#[test]
fn the_dockerfile_has_the_version_and_the_rust_of_the_program() {
    let file = dockerfile();
    let argument = |name: &str| {
        let line = file.lines().find_map(|line| line.strip_prefix(&format!("ARG {name}=")));
        line.unwrap_or_else(|| panic!("no {name} in {file}")).to_owned()
    };
    assert_eq!(argument("VERSION"), env!("CARGO_PKG_VERSION"));
    assert!(argument("RUST").starts_with(&format!("rust:{}-", env!("CARGO_PKG_RUST_VERSION"))), "{file}");
}

/// Such a line has builders ask a registry for the language of the file itself.
#[test]
fn the_dockerfile_needs_no_frontend_of_its_own() {
    assert!(!dockerfile().contains("syntax="));
}

#[test]
#[ignore = "needs the image: tests/run node"]
fn it_runs_with_a_read_only_root_and_no_capability() {
    assert_eq!(asked(&["run", "--version"]).trim(), concat!("tempest-operator ", env!("CARGO_PKG_VERSION")));
}

#[test]
#[ignore = "needs the image: tests/run node"]
fn without_a_cluster_the_controller_says_so() {
    let output = image(&["run", "controller"]);
    let words = told(&output);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("there is no Kubernetes to serve"), "{words}");
    assert!(words.contains("run in a cluster, or set KUBECONFIG"), "{words}");
}

/// Threads, sockets, name servers and templates need nothing that it lacks.
#[test]
#[ignore = "needs the image: tests/run node"]
fn it_plays_against_its_simulated_cloud() {
    let table = asked(&["run", "try", "--include", "heat_zone_lifecycle"]);
    assert!(table.contains("Passed: 1 passed of 1 test "), "{table}");
}

#[test]
#[ignore = "needs the image: tests/run node"]
fn it_says_whose_it_is_and_is_nobodys_root() {
    let config = &inspected()["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/usr/local/bin/tempest-operator"]));
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].as_str().unwrap();
    assert_eq!(label("title"), "tempest-operator");
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("licenses"), "Apache-2.0");
    let revision = label("revision");
    assert!(revision.len() == 40 && revision.chars().all(|one| one.is_ascii_hexdigit()), "{revision}");
}

#[test]
#[ignore = "needs the image: tests/run node"]
fn it_has_the_program_and_no_shell() {
    let files = asked(&["files"]);
    let is_there = |path: &str| files.lines().any(|line| line == path);
    for path in ["usr/local/bin/tempest-operator", "licenses/LICENSE", "usr/share/zoneinfo/Europe/Berlin"] {
        assert!(is_there(path), "no {path}");
    }
    for shell in ["sh", "bash", "dash", "busybox"] {
        let found = files.lines().find(|line| line.ends_with(&format!("bin/{shell}")));
        assert_eq!(found, None);
    }
}

#[test]
#[ignore = "needs the image, built with the profile `dist`: tests/run image"]
fn the_program_adds_little_to_its_base() {
    let size = inspected();
    let (whole, base) = (size["size"].as_u64().unwrap(), size["baseSize"].as_u64().unwrap());
    assert!(whole - base <= MOST, "{} bytes more than the base", whole - base);
}
