use super::*;
use rstest::rstest;

fn fresh() -> Observed {
    Observed {
        deleting_for: None,
        has_finalizer: false,
        cancel: false,
        suspend: false,
        stage: Stage::Waiting,
        run_again: false,
        time_to_live: None,
        kept_for: None,
        is_current: true,
        has_ledger: false,
        task: Task::None,
        credentials: Credentials::Usable,
        start_deadline_passed: false,
        on_interruption: OnInterruption::Restart,
        out_of_time: false,
        fruitless: false,
        stopping: false,
        in_job: false,
        elsewhere: false,
    }
}

fn began() -> Observed {
    Observed { stage: Stage::Began, has_finalizer: true, ..fresh() }
}

fn ended() -> Observed {
    Observed { stage: Stage::Ended, has_finalizer: true, credentials: Credentials::NotNeeded, ..fresh() }
}

#[expect(clippy::needless_pass_by_value, reason = "a case is written in place")]
fn underway(observed: Observed) -> Observed {
    Observed { task: Task::Underway { suspended: false }, credentials: Credentials::NotNeeded, ..observed }
}

fn unusable() -> Credentials {
    Credentials::Unusable { reason: "SecretNotFound", message: "no Secret".into() }
}

fn deleting(seconds: u64) -> Observed {
    Observed { deleting_for: Some(Duration::from_secs(seconds)), has_ledger: true, ..began() }
}

/// A pod may be playing it.
fn elsewhere(observed: Observed) -> Observed {
    Observed { in_job: true, elsewhere: true, ..observed }
}

fn kept(seconds: u64) -> Observed {
    Observed {
        kept_for: Some(Duration::from_secs(seconds)),
        has_ledger: true,
        credentials: Credentials::Usable,
        ..ended()
    }
}

#[rstest]
#[case::starts(fresh(), Decision::Start)]
#[case::waits_for_credentials(
    Observed { credentials: unusable(), ..fresh() },
    Decision::Wait { reason: "WaitingForCredentials", message: "no Secret".into() }
)]
#[case::waits_for_scenarios(
    Observed {
        credentials: Credentials::Unusable { reason: SCENARIOS_NOT_FOUND, message: "none".into() },
        ..fresh()
    },
    Decision::Wait { reason: "WaitingForScenarios", message: "none".into() }
)]
#[case::waits_only_so_long(
    Observed { credentials: unusable(), start_deadline_passed: true, ..fresh() },
    Decision::EndUnstartable { reason: "SecretNotFound".into(), message: "no Secret".into() }
)]
#[case::a_bad_spec_is_not_waited_for(
    Observed { credentials: Credentials::BadSpec { message: "glob".into() }, ..fresh() },
    Decision::EndUnstartable { reason: "InvalidSpec".into(), message: "glob".into() }
)]
#[case::cancelled_before_it_began(Observed { cancel: true, ..fresh() }, Decision::EndCancelled)]
#[case::suspended_before_it_began(Observed { suspend: true, ..fresh() }, Decision::Suspend)]
#[case::cancelled_while_suspended(Observed { suspend: true, cancel: true, ..fresh() }, Decision::EndCancelled)]
#[case::queues_on(underway(fresh()), Decision::LookAgainIn(TASK_AGAIN))]
#[case::cancelled_in_the_queue(underway(Observed { cancel: true, ..fresh() }), Decision::CancelTask)]
#[case::suspended_in_the_queue(underway(Observed { suspend: true, ..fresh() }), Decision::SetSuspended(true))]
#[case::plays_on(underway(began()), Decision::LookAgainIn(TASK_AGAIN))]
#[case::cancelled_while_it_plays(underway(Observed { cancel: true, ..began() }), Decision::CancelTask)]
#[case::suspended_while_it_plays(underway(Observed { suspend: true, ..began() }), Decision::SetSuspended(true))]
#[case::suspended_already(
    Observed { suspend: true, task: Task::Underway { suspended: true }, ..began() },
    Decision::LookAgainIn(TASK_AGAIN)
)]
#[case::resumed(Observed { task: Task::Underway { suspended: true }, ..began() }, Decision::SetSuspended(false))]
#[case::ended_a_moment_ago(underway(Observed { cancel: true, ..ended() }), Decision::LookAgainIn(TASK_AGAIN))]
#[case::ended_and_released(Observed { has_finalizer: false, ..ended() }, Decision::Rest)]
#[case::ended_with_nothing_left(ended(), Decision::Release { abandoned: false })]
#[case::ended_and_wanted_for_a_while(
    Observed { has_finalizer: false, time_to_live: Some(Duration::from_secs(9)), ..ended() },
    Decision::LookAgainIn(Duration::from_secs(9))
)]
#[case::ended_and_not_wanted_any_more(
    Observed { has_finalizer: false, time_to_live: Some(Duration::ZERO), ..ended() },
    Decision::Delete
)]
#[case::ended_with_something_left_and_not_wanted_any_more(
    Observed { has_ledger: true, time_to_live: Some(Duration::ZERO), ..ended() },
    Decision::Delete
)]
#[case::ended_with_something_left(Observed { has_ledger: true, ..ended() }, Decision::Rest)]
#[case::ended_stays_ended_when_cancelled_later(Observed { has_finalizer: false, cancel: true, ..ended() }, Decision::Rest)]
#[case::edited_after_its_end(Observed { is_current: false, ..ended() }, Decision::Acknowledge)]
#[case::a_changed_token_runs_again(Observed { run_again: true, is_current: false, ..ended() }, Decision::RunAgain)]
#[case::a_cancelled_run_does_not_run_again(
    Observed { run_again: true, is_current: false, cancel: true, ..ended() },
    Decision::Acknowledge
)]
#[case::what_is_kept_is_kept(kept(60), Decision::LookAgainIn(Duration::from_mins(1)))]
#[case::what_was_kept_is_undone(kept(0), Decision::UndoKept)]
#[case::what_was_kept_is_undone_before_it_runs_again(Observed { run_again: true, ..kept(60) }, Decision::UndoKept)]
#[case::what_was_kept_and_cannot_be_undone(
    Observed { task: Task::UndoingFailed, kept_for: None, ..kept(0) },
    Decision::Rest
)]
#[case::what_was_kept_waits_for_the_secret(
    Observed { credentials: unusable(), ..kept(0) },
    Decision::LookAgainIn(KEPT_AGAIN)
)]
#[case::an_edit_is_seen_while_what_was_kept_waits_for_the_secret(
    Observed { credentials: unusable(), is_current: false, ..kept(0) },
    Decision::Acknowledge
)]
#[case::it_runs_again_once_the_secret_is_there(
    Observed { credentials: unusable(), is_current: false, run_again: true, ..kept(0) },
    Decision::LookAgainIn(KEPT_AGAIN)
)]
#[case::what_was_kept_is_not_waited_for_longer_than_the_object_is_wanted(
    Observed { credentials: unusable(), time_to_live: Some(Duration::ZERO), ..kept(0) },
    Decision::Delete
)]
#[case::interrupted_with_a_ledger(Observed { has_ledger: true, ..began() }, Decision::UndoInterrupted)]
#[case::interrupted_and_cancelled(Observed { has_ledger: true, cancel: true, ..began() }, Decision::UndoInterrupted)]
#[case::interrupted_and_undone(began(), Decision::Restart)]
#[case::interrupted_and_not_all_undone(
    Observed { has_ledger: true, task: Task::UndoingFailed, ..began() },
    Decision::Restart
)]
#[case::interrupted_undone_and_cancelled(Observed { cancel: true, ..began() }, Decision::EndCancelled)]
#[case::a_pod_plays_and_nobody_follows(elsewhere(began()), Decision::Follow)]
#[case::a_pod_is_followed(elsewhere(underway(began())), Decision::LookAgainIn(TASK_AGAIN))]
#[case::a_pod_plays_and_the_run_is_cancelled(elsewhere(Observed { cancel: true, ..began() }), Decision::Follow)]
#[case::a_followed_pods_run_is_cancelled(elsewhere(underway(Observed { cancel: true, ..began() })), Decision::CancelTask)]
#[case::a_followed_pods_run_is_suspended(
    elsewhere(underway(Observed { suspend: true, ..began() })),
    Decision::SetSuspended(true)
)]
#[case::what_a_playing_pod_made_is_not_undone(elsewhere(Observed { has_ledger: true, ..began() }), Decision::Follow)]
#[case::a_pod_that_was_long_at_it_is_followed(elsewhere(Observed { out_of_time: true, ..began() }), Decision::Follow)]
#[case::a_lost_pod_is_an_interruption(Observed { in_job: true, ..began() }, Decision::Restart)]
#[case::a_lost_pods_doings_are_undone(
    Observed { in_job: true, has_ledger: true, ..began() },
    Decision::UndoInterrupted
)]
#[case::deleted_while_a_pod_plays(elsewhere(deleting(0)), Decision::Follow)]
#[case::deleted_while_a_pod_is_followed(elsewhere(underway(deleting(0))), Decision::CancelTask)]
#[case::deleted_long_ago_while_a_pod_plays(elsewhere(deleting(3600)), Decision::Follow)]
#[case::no_pod_is_followed_when_stopping(elsewhere(Observed { stopping: true, ..began() }), Decision::Rest)]
#[case::nothing_new_when_stopping(Observed { stopping: true, ..fresh() }, Decision::Rest)]
#[case::deleted_and_not_ours(Observed { has_finalizer: false, ..deleting(0) }, Decision::Rest)]
#[case::deleted_in_the_queue(underway(Observed { has_finalizer: false, ..deleting(0) }), Decision::CancelTask)]
#[case::deleted_while_it_plays(underway(deleting(0)), Decision::CancelTask)]
#[case::deleted_with_nothing_left(Observed { has_ledger: false, ..deleting(0) }, Decision::Release { abandoned: false })]
#[case::deleted_with_a_ledger(deleting(0), Decision::UndoForDeletion)]
#[case::undone_in_vain_is_tried_again_later(
    Observed { task: Task::UndoingFailed, ..deleting(30) },
    Decision::LookAgainIn(UNDO_AGAIN)
)]
#[case::the_cloud_stays_away(Observed { task: Task::UndoingFailed, ..deleting(15 * 60) }, Decision::Release { abandoned: true })]
#[case::deleted_while_no_operator_was_there_is_tried_once(deleting(3600), Decision::UndoForDeletion)]
#[case::the_secret_may_come_back(Observed { credentials: unusable(), ..deleting(59) }, Decision::LookAgain)]
#[case::the_secret_stays_away(Observed { credentials: unusable(), ..deleting(60) }, Decision::Release { abandoned: true })]
fn one_row_one_step(#[case] observed: Observed, #[case] decision: Decision) {
    assert_eq!(decide(&observed), decision);
}

#[rstest]
#[case::it_wants_to_fail(Observed { on_interruption: OnInterruption::Fail, ..began() }, "everything that it made was undone")]
#[case::nobody_can_undo(Observed { has_ledger: true, credentials: unusable(), ..began() }, "no Secret")]
#[case::it_was_a_pod(Observed { in_job: true, on_interruption: OnInterruption::Fail, ..began() }, "the pod that played it")]
#[case::its_time_is_over(Observed { out_of_time: true, ..began() }, "time allowed to the run is over")]
#[case::its_pods_die(Observed { in_job: true, fruitless: true, ..began() }, "too many pods in a row")]
fn an_interrupted_run_ends_and_says_what_is_left(#[case] observed: Observed, #[case] words: &str) {
    let Decision::EndInterrupted { message } = decide(&observed) else { panic!("{observed:?}") };
    assert!(message.contains(words), "{message}");
}

#[test]
fn secrets_are_read_only_when_they_are_needed() {
    assert!(fresh().needs_credentials());
    assert!(!ended().needs_credentials());
    assert!(!Observed { has_ledger: true, ..ended() }.needs_credentials());
    assert!(!underway(fresh()).needs_credentials());
    assert!(!Observed { has_ledger: false, ..deleting(0) }.needs_credentials());
    assert!(deleting(0).needs_credentials());
    assert!(!Observed { cancel: true, ..fresh() }.needs_credentials());
    assert!(!Observed { suspend: true, ..fresh() }.needs_credentials());
    assert!(kept(0).needs_credentials() && !kept(9).needs_credentials());
    assert!(!began().needs_credentials());
    assert!(!elsewhere(Observed { has_ledger: true, ..began() }).needs_credentials());
    assert!(!elsewhere(deleting(0)).needs_credentials());
    // What it made has to be undone, whoever cancelled it.
    assert!(Observed { cancel: true, has_ledger: true, ..began() }.needs_credentials());
}
