//! The simulated cloud as a process of its own, and a run against it from another one.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::support::Home;
use crate::support::{Process, binary, three_free_ports};

/// Serves a simulated cloud on `port` and writes its clouds.yaml into `home`; gives what it says of itself.
fn serve(home: &Home, port: &str) -> (Process, String) {
    let cloud = binary()
        .args(["simcloud", "--port", port, "--latency", "zero"])
        .stdout(File::create(home.path().join("clouds.yaml")).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut cloud = Process(cloud);
    let mut told = String::new();
    BufReader::new(cloud.0.stderr.take().unwrap()).read_line(&mut told).unwrap();
    (cloud, told)
}

#[test]
fn a_sweep_does_not_say_that_nothing_is_left_when_a_ledger_cannot_be_read() {
    let (home, port) = (Home::new(), three_free_ports().to_string());
    let (_cloud, _) = serve(&home, &port);
    home.file("state/ci/0123456789ab.json", "{ cut short");
    let arguments = ["sweep", "--os-cloud", "demo", "--installation", "ci", "--state-dir", "state"];
    let ended = home.run(&arguments);
    assert_eq!((ended.code, ended.out.as_str()), (1, "nothing else is left\n"), "{ended:?}");
    assert!(ended.err.contains("0123456789ab.json cannot be read"), "{ended:?}");
    std::fs::remove_file(home.path().join("state/ci/0123456789ab.json")).unwrap();
    let ended = home.run(&arguments);
    assert_eq!((ended.code, ended.out.as_str()), (0, "nothing is left\n"), "{ended:?}");
}

#[test]
fn a_run_passes_against_the_simulated_cloud_of_another_process() {
    let (home, port) = (Home::new(), three_free_ports().to_string());
    let (mut cloud, told) = serve(&home, &port);
    let (suffix, servers) = told
        .trim()
        .strip_prefix("zones may be made under ")
        .and_then(|rest| rest.split_once("; name servers: "))
        .unwrap_or_else(|| panic!("{told}"));
    let mut arguments = vec!["run", "--os-cloud", "demo", "--zone-suffix", suffix, "--state-dir", "state"];
    arguments.extend(["--include", "heat_zone_lifecycle"]);
    arguments.extend(servers.split(", ").flat_map(|server| ["--nameserver", server]));
    let ended = home.run(&arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("Passed: 1 passed of 1 test "), "{ended:?}");

    let taken = home.run(&["simcloud", "--port", &port]);
    assert_eq!((taken.code, taken.out.as_str()), (2, ""), "{taken:?}");
    assert!(taken.err.contains(&format!("port {port} and the two after it")), "{taken:?}");

    let sent = Command::new("kill").args(["-s", "TERM", &cloud.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert!(cloud.0.wait().unwrap().success());
}
