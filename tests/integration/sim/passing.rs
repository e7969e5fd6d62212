//! What passes, passes: by the library and by `try`.

use rstest::rstest;
use tempest_operator::outcome::{Outcome, Verdict};
use tempest_operator::scenario::Scenario;
use tempest_operator::scenario::document::{Action, Step};

use super::pace::{all_at_once, on_a_paused_clock, paused_clock};
use super::player::{FIP_OWN, FIP_PORT, PORT, Player, clean, cloud, suite};
use crate::support::{binary, finish, told};

/// Plays one built-in scenario in a cloud of its own, with all that a scenario may need: what is wrong with that.
async fn plays_well(scenario: &Scenario) -> Result<(), String> {
    let cloud = cloud().await;
    let mut player = Player::with_everything(&cloud, &[&scenario.name]);
    player.clock = paused_clock();
    let played = player.play().await;
    let [test] = played.report.tests.as_slice() else { return Err(format!("{:#?}", played.report)) };
    let is_published = |step: &Step| matches!(&step.action, Action::Records(r) if !r.present.is_empty());
    let left = cloud.snapshot();
    let wrong = if test.outcome != Outcome::Passed {
        // Nothing is skipped here either: the simulated cloud offers everything.
        format!("is {}: {test:#?}", test.outcome)
    } else if played.report.verdict != Some(Verdict::Passed) {
        format!("passed, and the run did not: {:#?}", played.report)
    } else if !test.skipped_steps.is_empty() {
        format!("left steps out: {:#?}", test.skipped_steps)
    } else if scenario.steps.iter().any(is_published) && test.propagation.is_empty() {
        "measured no propagation".to_owned()
    } else if !test.leaked.is_empty() {
        format!("leaked {:#?}", test.leaked)
    } else if played.kept.document().is_some() {
        format!("kept its ledger: {:#?}", played.kept.document())
    } else if !left.is_clean() {
        format!("left behind {left:#?}")
    } else {
        return Ok(());
    };
    Err(wrong)
}

#[test]
fn each_built_in_scenario_passes_and_leaves_nothing() {
    let scenarios: Vec<_> = suite().iter().collect();
    let ends = all_at_once(&scenarios, |scenario| on_a_paused_clock(plays_well(scenario)));
    let bad: Vec<String> = scenarios
        .iter()
        .zip(ends)
        .filter_map(|(scenario, end)| Some(format!("{} {}", scenario.name, end.err()?)))
        .collect();
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), scenarios.len(), bad.join("\n"));
}

#[rstest]
#[case::ipv4("published", 4)]
#[case::both_families("published-dual", 8)]
#[tokio::test]
async fn a_published_network_has_one_family_or_both(#[case] network: &str, #[case] published: usize) {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[PORT]).patient(10);
    player.spec.cloud.published_network = Some(network.to_owned());
    let played = player.play().await;
    played.passed();
    let all = &played.only().propagation;
    // A port and a server, each with a record and a reverse record of every address.
    assert_eq!(all.iter().filter(|one| one.published).count(), published, "{all:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_guest_that_looks_up_something_else_fails_the_test() {
    use tempest_operator::simcloud::{Guests, SimCloud, SimOptions, shell};
    tempest_operator::openstack::install_crypto_provider();
    let wrong = |guest: &tempest_operator::simcloud::GuestView| shell(guest).replace("result 1", "result 9");
    let options = SimOptions { guests: Guests::Booted(std::sync::Arc::new(wrong)), ..SimOptions::default() };
    let cloud = SimCloud::start(options).await.unwrap();
    let played = Player::of(&cloud, &[FIP_PORT]).patient(5).play().await;
    let test = played.only();
    assert_eq!(test.reason, Some(tempest_operator::outcome::Reason::GuestAnswerWrong), "{test:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_cloud_whose_guests_do_not_boot_is_still_tested() {
    use tempest_operator::simcloud::{SimCloud, SimOptions};
    tempest_operator::openstack::install_crypto_provider();
    let cloud = SimCloud::start(SimOptions::default()).await.unwrap();
    let played = Player::of(&cloud, &[FIP_PORT]).patient(2).play().await;
    played.passed();
    let [skipped] = played.only().skipped_steps.as_slice() else { panic!("{:#?}", played.report) };
    assert_eq!(skipped.step, "guests");
    assert!(skipped.message.starts_with("no guest boots here"), "{}", skipped.message);
    clean(&cloud);
}

#[rstest]
#[case::table("table")]
#[case::json("json")]
#[case::yaml("yaml")]
fn try_plays_the_suite_in_one_process(#[case] output: &str) {
    let ended = finish(binary().args(["try", "--latency", "zero", "--include", FIP_OWN, "--output", output]));
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    let text = String::from_utf8_lossy(&ended.stdout);
    match output {
        "json" => assert!(text.contains("\"passed\": 1"), "{text}"),
        "yaml" => assert!(text.contains("verdict: Passed") && text.contains(FIP_OWN), "{text}"),
        _ => assert!(text.contains("1 passed of 1 test") && text.contains("ALL NS"), "{text}"),
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}
