//! Whom a log line is about stands on the line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tempest_operator::telemetry::json_lines;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use super::player::{FIP_OWN, Player, ZONE, cloud};
use super::secrets::Log;

const FIP_OWN_AND_ZONE: [&str; 2] = [FIP_OWN, ZONE];

/// The lines about requests to the cloud.
fn calls(log: &Log) -> Vec<Value> {
    let lines = log.text();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter(|line| line["message"] == "openstack call").collect()
}

/// What a path names of a test's own things, such as `to-0123456789ab-2`.
fn prefix_in<'a>(path: &'a str, run_id: &str) -> Option<&'a str> {
    let at = path.find(&format!("to-{run_id}-"))?;
    let length = run_id.len() + "to--".len();
    let number = path[at + length..].find(|letter: char| !letter.is_ascii_digit());
    Some(&path[at..at + length + number?])
}

// One thread: what is logged anywhere in the process is logged here.
#[tokio::test(flavor = "current_thread")]
async fn each_line_of_two_tests_at_once_names_its_own_run_test_and_step() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::registry().with(json_lines(log.clone()).with_filter(LevelFilter::DEBUG));
    let _logging = tracing::subscriber::set_default(subscriber);
    let cloud = cloud().await;
    let player = Player::of(&cloud, &FIP_OWN_AND_ZONE).patient(5);
    let run_id = player.run.run_id.clone();
    player.play().await.passed();

    let mut tests_of = BTreeMap::<String, BTreeSet<String>>::new();
    for line in calls(&log) {
        assert_eq!(
            (&line["namespace"], &line["run"], &line["run_id"]),
            (&"ci".into(), &"nightly".into(), &run_id.as_str().into()),
            "{line}"
        );
        let Some(prefix) = prefix_in(line["path"].as_str().unwrap(), &run_id) else { continue };
        let test = line["test"].as_str().unwrap_or_else(|| panic!("whose line is it? {line}"));
        tests_of.entry(prefix.to_owned()).or_default().insert(test.to_owned());
    }
    let told: Vec<_> =
        tests_of.values().map(|tests| tests.iter().map(String::as_str).collect::<Vec<_>>()).collect();
    assert_eq!(told.len(), 2, "{tests_of:?}");
    for test in FIP_OWN_AND_ZONE {
        assert!(told.contains(&vec![test]), "{tests_of:?}");
    }
    // What is made, a step makes.
    let made: Vec<_> = calls(&log).into_iter().filter(|line| line["method"] == "POST").collect();
    assert!(!made.is_empty() && made.iter().all(|line| line["step"].is_string()), "{made:#?}");
}

/// At the level that an operator logs at, unless it is told otherwise.
#[tokio::test(flavor = "current_thread")]
async fn each_test_is_logged_when_it_begins_and_with_its_outcome_when_it_ends() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::registry().with(json_lines(log.clone()).with_filter(LevelFilter::INFO));
    let _logging = tracing::subscriber::set_default(subscriber);
    Player::of(&cloud().await, &FIP_OWN_AND_ZONE).play().await.passed();
    let text = log.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for test in FIP_OWN_AND_ZONE {
        let of_the_test: Vec<_> = lines.iter().filter(|line| line["test"] == test).collect();
        let [begin, end] = of_the_test[..] else { panic!("{text}") };
        assert_eq!(
            (&begin["message"], &begin["outcome"]),
            (&"the test begins".into(), &Value::Null),
            "{text}"
        );
        assert_eq!(
            (&end["message"], &end["outcome"]),
            (&"the test ended".into(), &"Passed".into()),
            "{text}"
        );
        assert!(end["run"] == "nightly" && end["step"].is_null(), "{text}");
    }
}
