//! Ctrl-C and SIGTERM, against a cloud that accepts connections and says nothing.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;

use super::support::Home;
use crate::support::binary;

struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
    _silent: TcpListener,
    _home: Home,
}

/// A run that waits for Keystone and will do so for minutes.
fn waiting() -> Running {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    home.file(
        "clouds.yaml",
        &format!(
            "clouds: {{demo: {{auth: {{auth_url: 'http://{}/v3', username: u, password: p, project_name: p, \
             user_domain_name: d, project_domain_name: d}}}}}}",
            silent.local_addr().unwrap()
        ),
    );
    let mut child = binary()
        .args(["run", "--os-cloud", "demo", "--state-dir", "state"])
        .current_dir(home.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut started = String::new();
    lines.read_line(&mut started).unwrap();
    assert!(started.contains("started"), "{started}");
    Running { child, lines, _silent: silent, _home: home }
}

#[rstest]
#[case::ctrl_c("INT")]
#[case::asked_to_end("TERM")]
fn the_first_signal_cancels(#[case] signal: &str) {
    let mut running = waiting();
    let sent = Command::new("kill").args(["-s", signal, &running.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let begin = Instant::now();
    let status = running.child.wait().unwrap();
    let mut told = String::new();
    running.lines.read_to_string(&mut told).unwrap();
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("Cancelled"), "{told}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{told}");
}
