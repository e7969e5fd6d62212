//! However a run ends, nothing is left: cancelled, killed, or broken in the runner itself.

use std::time::Duration;

use rstest::rstest;
use tempest_operator::outcome::{Outcome, Reason, Verdict};
use tempest_operator::runner::event::{Event, EventKind};
use tempest_operator::runner::ledger::Ledger;
use tempest_operator::runner::{Control, undo};
use tempest_operator::simcloud::{Latency, SimCloud, SimOptions, Stages};
use tokio_util::sync::CancellationToken;

use super::player::{FIP_OWN, FIP_PORT, Kept, Player, ZONE, clean, cloud_with};

/// A cloud that takes its time, so that something is always under way.
async fn slow() -> SimCloud {
    let stages = Stages {
        server_build: Duration::from_millis(300),
        server_delete: Duration::from_millis(200),
        serial_batch: Duration::from_millis(100),
        poll_delay: Duration::from_millis(100),
        stack_step: Duration::from_millis(50),
        ..Stages::default()
    };
    cloud_with(SimOptions { latency: Latency::Stages(stages), ..SimOptions::default() }).await
}

/// Pulls the trigger when the step begins.
fn at(step: &'static str, token: CancellationToken) -> Box<dyn FnMut(&Event) + Send> {
    Box::new(move |event| {
        if matches!(&event.kind, EventKind::StepStarted { step: begun, .. } if begun == step) {
            token.cancel();
        }
    })
}

#[rstest]
#[case::while_the_first_stack_is_made(FIP_PORT, "zone")]
#[case::while_servers_boot(FIP_PORT, "servers")]
#[case::while_records_are_awaited(FIP_PORT, "published")]
#[case::while_a_stack_is_updated(FIP_OWN, "associate")]
#[case::while_a_stack_is_deleted(FIP_OWN, "delete")]
#[tokio::test]
async fn a_cancelled_run_is_undone(#[case] scenario: &str, #[case] step: &'static str) {
    let cloud = slow().await;
    let mut player = Player::of(&cloud, &[scenario]).patient(10);
    player.on_event = at(step, player.control.cancel.clone());
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Cancelled, Some(Reason::Cancelled)), "{test:#?}");
    assert_eq!(played.report.verdict, Some(Verdict::Cancelled));
    assert!(test.leaked.is_empty() && played.report.leaked.is_empty(), "{:#?}", played.report);
    assert_eq!(played.kept.document(), None);
    clean(&cloud);
}

#[rstest]
#[case::while_servers_boot(FIP_PORT, "servers")]
#[case::while_records_are_awaited(FIP_PORT, "published")]
#[case::while_a_stack_is_deleted(FIP_OWN, "delete")]
#[case::while_a_zone_is_changed(ZONE, "update")]
#[tokio::test]
async fn what_a_killed_run_left_is_undone_from_its_ledger(
    #[case] scenario: &str,
    #[case] step: &'static str,
) {
    let cloud = slow().await;
    let mut player = Player::of(&cloud, &[scenario]).patient(10);
    player.on_event = at(step, player.control.abandon.clone());
    let inputs = player.inputs();
    let played = player.play().await;
    assert_eq!(played.report.verdict, Some(Verdict::Cancelled));
    assert!(!cloud.snapshot().is_clean(), "it was killed before it made anything");
    let document = played.kept.document().expect("a ledger is left");
    let ledger = Ledger::resume(document, Box::new(played.kept.clone()));
    let leaked = undo(&inputs, &ledger, &Control::default()).await.unwrap();
    assert_eq!(leaked, Vec::new());
    assert_eq!(played.kept.document(), None);
    clean(&cloud);
}

#[tokio::test]
async fn a_test_that_breaks_the_runner_is_undone_and_the_others_go_on() {
    let cloud = slow().await;
    let mut player = Player::of(&cloud, &[FIP_OWN, ZONE]).patient(10);
    player.kept = Kept::breaking_at("floating-ip");
    let played = player.play().await;
    let test = played.test(FIP_OWN);
    assert_eq!((test.outcome, test.reason), (Outcome::Errored, Some(Reason::RunnerPanicked)), "{test:#?}");
    assert!(test.leaked.is_empty(), "{test:#?}");
    assert_eq!(played.test(ZONE).outcome, Outcome::Passed, "{:#?}", played.report);
    assert_eq!(played.report.verdict, Some(Verdict::Errored));
    clean(&cloud);
}

#[tokio::test]
async fn the_end_of_the_runs_time_ends_its_tests() {
    let cloud = slow().await;
    let mut player = Player::of(&cloud, &[FIP_PORT]).patient(10);
    player.arrange = Box::new(|plan| plan.settings.run_timeout = Duration::from_millis(150));
    let played = player.play().await;
    assert_eq!(played.only().outcome, Outcome::TimedOut, "{:#?}", played.report);
    assert_ne!(played.report.verdict, Some(Verdict::Passed));
    clean(&cloud);
}

#[tokio::test]
async fn nothing_is_made_that_cannot_be_written_down() {
    let cloud = slow().await;
    let mut player = Player::of(&cloud, &[ZONE]).patient(10);
    player.kept = Kept::full();
    let played = player.play().await;
    assert_eq!(played.only().reason, Some(Reason::LedgerUnavailable), "{:#?}", played.report);
    assert_eq!(cloud.requests().of(tempest_operator::simcloud::Service::Orchestration, "POST"), 0);
    clean(&cloud);
}
