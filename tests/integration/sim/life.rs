//! What a run's owner can ask for: tries, expectations, resources that are kept, pauses, locks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempest_operator::api::tempest_run::Expectation;
use tempest_operator::outcome::{Outcome, Reason, Verdict};
use tempest_operator::runner::event::{Event, EventKind};
use tempest_operator::runner::ledger::Ledger;
use tempest_operator::runner::{Control, Locks, undo};
use tempest_operator::simcloud::{Fault, Latency, Scope, Service, SimCloud, SimOptions};
use tokio::time::timeout;

use super::pace::{on_a_paused_clock, paused_clock};
use super::player::{FIP_OWN, PORT, Played, Player, ZONE, clean, cloud, cloud_with};

const LONG: Duration = Duration::from_secs(30);

/// Every stack that is to be made is refused.
fn refusing(cloud: &SimCloud) {
    let scope =
        Scope { service: Some(Service::Orchestration), method: Some(http::Method::POST), ..Scope::default() };
    cloud.faults().inject_in(Fault::Answer(500), scope);
}

fn count(played: &Played, is: impl Fn(&EventKind) -> bool) -> usize {
    played.events.iter().filter(|event| is(&event.kind)).count()
}

#[tokio::test]
async fn a_test_that_passes_when_tried_again_is_flaky_and_says_what_was_wrong() {
    let cloud = cloud().await;
    refusing(&cloud);
    let mut player = Player::of(&cloud, &[ZONE]);
    player.spec.execution.retries = Some(2);
    let faults = cloud.faults().clone();
    player.on_event = Box::new(move |event| {
        if matches!(event.kind, EventKind::TestRetrying { .. }) {
            faults.clear_all();
        }
    });
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.tries), (Outcome::Flaky, 2), "{test:#?}");
    assert_eq!(test.reason, Some(Reason::ServiceError));
    assert_eq!(test.failed_step.as_ref().unwrap().evidence.http_status, Some(500));
    assert_eq!((played.report.verdict, played.report.summary.flaky), (Some(Verdict::Passed), 1));
    assert_eq!(count(&played, |kind| matches!(kind, EventKind::TestFinished { .. })), 1);
    clean(&cloud);
}

#[tokio::test]
async fn a_test_that_never_passes_is_tried_only_so_often() {
    let cloud = cloud().await;
    refusing(&cloud);
    let mut player = Player::of(&cloud, &[ZONE]);
    player.spec.execution.retries = Some(2);
    let played = player.play().await;
    assert_eq!((played.only().outcome, played.only().tries), (Outcome::Errored, 3), "{:#?}", played.report);
    assert_eq!(count(&played, |kind| matches!(kind, EventKind::TestRetrying { .. })), 2);
    clean(&cloud);
}

fn expecting(player: &mut Player, name: &str) {
    let (name, reason) = (name.to_owned(), "bug 42".to_owned());
    player.spec.scenarios.expected_failures = vec![Expectation { name, reason, until: None }];
    player.spec.execution.retries = Some(2);
}

#[tokio::test]
async fn an_expected_failure_counts_as_passed_and_is_not_tried_again() {
    let cloud = cloud().await;
    cloud.faults().inject(Fault::WrongTtl);
    let mut player = Player::of(&cloud, &[FIP_OWN]);
    expecting(&mut player, "floating_*");
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.tries), (Outcome::ExpectedFailure, 1), "{test:#?}");
    assert!(test.message.as_ref().unwrap().starts_with("expected (bug 42): "), "{test:#?}");
    assert_eq!(played.report.verdict, Some(Verdict::Passed));
    cloud.faults().clear_all();
    clean(&cloud);
}

#[tokio::test]
async fn a_pass_against_expectation_fails_a_strict_run() {
    for (strict, verdict) in [(false, Verdict::Passed), (true, Verdict::Failed)] {
        let cloud = cloud().await;
        let mut player = Player::of(&cloud, &[ZONE]);
        expecting(&mut player, ZONE);
        player.spec.scenarios.strict = strict;
        let played = player.play().await;
        assert_eq!(played.only().outcome, Outcome::UnexpectedPass, "{:#?}", played.report);
        assert_eq!(played.report.verdict, Some(verdict));
        clean(&cloud);
    }
}

#[tokio::test]
async fn what_a_failed_test_made_is_kept_for_a_look_at_it_and_then_undone() {
    let cloud = cloud().await;
    cloud.faults().inject(Fault::WrongTtl);
    let mut player = Player::of(&cloud, &[FIP_OWN, ZONE]);
    player.arrange = Box::new(|plan| plan.settings.keep_on_failure = Duration::from_mins(10));
    let inputs = player.inputs();
    let played = player.play().await;
    let failed = played.test(FIP_OWN);
    assert!(failed.kept_until.is_some() && failed.leaked.is_empty(), "{failed:#?}");
    assert!(played.report.leaked.is_empty(), "kept is not leaked: {:#?}", played.report.leaked);
    let left = cloud.snapshot();
    assert!(!left.stacks.is_empty(), "{left:#?}");
    assert!(
        left.stacks.iter().all(|stack| stack.name.contains("-1-") || stack.name.contains("-1r")),
        "{left:#?}"
    );
    let document = played.kept.document().expect("what is kept is written down");
    let ledger = Ledger::resume(document, Box::new(played.kept.clone()));
    assert_eq!(undo(&inputs, &ledger, &Control::default()).await.unwrap(), Vec::new());
    assert_eq!(played.kept.document(), None);
    clean(&cloud);
}

/// A scenario that makes nothing, and fails.
const NOTHING: &str = "\
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: nothing}
spec:
  title: Nothing
  steps:
    - name: never
      within: 1s
      expect: {service: dns, path: /zones, that: ['false']}
";

#[tokio::test]
async fn of_nothing_nothing_is_kept() {
    let cloud = cloud().await;
    let mut player = Player::of_text(&cloud, NOTHING);
    player.arrange = Box::new(|plan| plan.settings.keep_on_failure = Duration::from_mins(10));
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.kept_until), (Outcome::Failed, None), "{test:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_suspended_run_begins_no_test_and_goes_on_when_it_is_resumed() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[PORT, ZONE]);
    player.arrange = Box::new(|plan| plan.settings.max_parallel = 1);
    let suspension = player.control.suspension.clone();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&seen);
    player.on_event = Box::new(move |event: &Event| match &event.kind {
        EventKind::TestStarted { test } => {
            told.lock().unwrap().push(test.clone());
            suspension.set(true);
        }
        EventKind::TestFinished { .. } => told.lock().unwrap().push("finished".to_owned()),
        EventKind::Suspended { since, .. } => {
            told.lock().unwrap().push(if since.is_some() { "suspended" } else { "resumed" }.to_owned());
            let suspension = suspension.clone();
            // As its owner does, some time later.
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                suspension.set(false);
            });
        }
        _ => {}
    });
    let played = timeout(LONG, player.play()).await.expect("it goes on");
    played.passed();
    let seen = seen.lock().unwrap();
    let first_end = seen.iter().position(|word| word == "finished").unwrap();
    let second_start = seen.iter().rposition(|word| word.contains("_dns") || word.contains("zone")).unwrap();
    let resumed = seen.iter().position(|word| word == "resumed").unwrap();
    assert!(first_end < second_start && resumed < second_start, "{seen:?}");
    assert_eq!(played.report.suspended_since, None);
    assert!(played.report.suspended_ms >= 300, "{} ms", played.report.suspended_ms);
    clean(&cloud);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_suspended_before_it_begins_begins_no_test() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[PORT, ZONE]);
    let suspension = player.control.suspension.clone();
    suspension.set(true);
    player.on_event = Box::new(move |event: &Event| {
        if matches!(event.kind, EventKind::Suspended { since: Some(_), .. }) {
            suspension.set(false);
        }
    });
    let played = timeout(LONG, player.play()).await.expect("it goes on");
    played.passed();
    let begun = |kind: &EventKind| matches!(kind, EventKind::TestStarted { .. });
    let resumed = |kind: &EventKind| matches!(kind, EventKind::Suspended { since: None, .. });
    let first =
        |is: &dyn Fn(&EventKind) -> bool| played.events.iter().position(|event| is(&event.kind)).unwrap();
    assert!(first(&resumed) < first(&begun), "{:#?}", played.events);
    clean(&cloud);
}

/// Two that must not be beside one another: while the run is suspended, the one that waits does not begin, and the
/// run's minute does not go by.
#[test]
fn a_test_that_waits_for_another_does_not_begin_while_its_run_is_suspended() {
    on_a_paused_clock(async {
        let latency = Latency::Realistic { seed: 1 };
        let cloud = cloud_with(SimOptions { latency, ..SimOptions::default() }).await;
        let both = format!("{ALONE}---\n{}", ALONE.replace("name: alone", "name: beside"));
        let mut player = Player::of_text(&cloud, &both);
        player.clock = paused_clock();
        player.arrange = Box::new(|plan| plan.settings.run_timeout = Duration::from_mins(1));
        let suspension = player.control.suspension.clone();
        player.on_event = Box::new(move |event: &Event| match &event.kind {
            EventKind::TestWaiting { .. } => suspension.set(true),
            EventKind::Suspended { since: Some(_), .. } => {
                let suspension = suspension.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_hours(2)).await;
                    suspension.set(false);
                });
            }
            _ => {}
        });
        let played = player.play().await;
        played.passed();
        let first = |is: &dyn Fn(&EventKind) -> bool| played.events.iter().position(|event| is(&event.kind));
        let resumed = first(&|kind| matches!(kind, EventKind::Suspended { since: None, .. })).unwrap();
        let last =
            played.events.iter().rposition(|event| matches!(event.kind, EventKind::TestStarted { .. }));
        assert!(resumed < last.unwrap(), "{:#?}", played.events);
        clean(&cloud);
    });
}

#[tokio::test]
async fn what_an_earlier_attempt_played_is_not_played_again() {
    let cloud = cloud().await;
    let before = Player::of(&cloud, &[PORT]).play().await;
    let mut player = Player::of(&cloud, &[PORT, ZONE]);
    player.carried_over = before.report.tests.clone();
    let played = player.play().await;
    played.passed();
    assert_eq!(played.report.summary.passed, 2);
    assert_eq!(played.test(PORT), before.only());
    assert_eq!(count(&played, |kind| matches!(kind, EventKind::TestStarted { .. })), 1);
    clean(&cloud);
}

/// A zone, alone in its project.
const ALONE: &str = include_str!("alone.yaml");

#[tokio::test]
async fn a_test_that_must_be_alone_waits_for_those_of_other_runs() {
    let cloud = cloud().await;
    let locks = Locks::default();
    let running: Arc<Mutex<(usize, usize)>> = Arc::default();
    let play = || {
        let mut player = Player::of_text(&cloud, ALONE);
        player.locks = locks.clone();
        let running = Arc::clone(&running);
        player.on_event = Box::new(move |event| {
            let mut running = running.lock().unwrap();
            match &event.kind {
                EventKind::TestStarted { .. } => running.0 += 1,
                EventKind::TestFinished { .. } => running.0 -= 1,
                _ => {}
            }
            running.1 = running.1.max(running.0);
        });
        player.play()
    };
    for played in futures::future::join_all(vec![play(), play(), play()]).await {
        played.passed();
    }
    assert_eq!(running.lock().unwrap().1, 1, "never two at once");
    clean(&cloud);
}
