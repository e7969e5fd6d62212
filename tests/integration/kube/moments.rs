//! The design's table of conditions, row by row, on real objects: what kstatus computes, and what `kubectl wait` says.

use rstest::rstest;
use serde_json::Value;

use super::SOON;
use super::bed::Bed;
use crate::kstatus::{Status, compute};
use crate::support::wait_until;

/// The run `one` once it stands where the row says.
fn there(bed: &Bed, phase: &str) -> Value {
    bed.until(phase, SOON, |run| {
        run["status"]["phase"] == phase
            && run["status"]["observedGeneration"] == run["metadata"]["generation"]
    })
}

fn waits_for(bed: &Bed, condition: &str) -> bool {
    bed.try_kubectl(&["wait", &format!("--for=condition={condition}"), "tempestrun/one", "--timeout=1s"])
        .is_ok()
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn an_object_that_no_operator_has_seen_is_in_progress() {
    let mut bed = Bed::start("unseen");
    bed.stop();
    bed.usable_secret();
    bed.play("pass", "");
    assert_eq!(compute(&bed.run()), Status::InProgress);
    assert!(!waits_for(&bed, "Ready") && !waits_for(&bed, "Stalled"));
}

#[rstest]
#[case::queued("queued", "hold", "", "Running", Status::InProgress)]
#[case::suspended("suspended", "pass", "suspend: true", "Suspended", Status::InProgress)]
#[case::passed("passed", "pass", "", "Completed", Status::Current)]
#[case::failed("failed", "fail", "", "Completed", Status::Failed)]
#[case::could_not_be_carried_out("errored", "error", "", "Completed", Status::Failed)]
#[case::leaked("leaked", "leak", "", "Completed", Status::Failed)]
#[case::leaked_and_only_warned("warned", "leak", "execution: {onLeak: Warn}", "Completed", Status::Current)]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn every_moment_is_what_the_table_says(
    #[case] name: &str,
    #[case] scene: &str,
    #[case] more: &str,
    #[case] phase: &str,
    #[case] status: Status,
) {
    let bed = Bed::start(&format!("moment-{name}"));
    bed.usable_secret();
    bed.play(scene, more);
    let run = there(&bed, phase);
    assert_eq!(compute(&run), status, "{run:#}");
    let ended = status != Status::InProgress;
    let waits = ["Reconciling", "Ready", "Stalled", "Succeeded", "Finished"].map(|one| waits_for(&bed, one));
    let succeeded = status == Status::Current || name == "leaked";
    assert_eq!(
        waits,
        [!ended, status == Status::Current, status == Status::Failed, succeeded, ended],
        "{run:#}"
    );
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn waiting_cancelled_and_deleted_are_what_the_table_says() {
    let bed = Bed::start("moment-ends");
    bed.play("hold", "");
    assert_eq!(compute(&there(&bed, "Pending")), Status::InProgress);
    assert!(waits_for(&bed, "Reconciling") && !waits_for(&bed, "Ready") && !waits_for(&bed, "Finished"));
    bed.usable_secret();
    there(&bed, "Running");
    bed.try_patch(r#"{"spec":{"cancel":true}}"#).unwrap();
    assert_eq!(compute(&there(&bed, "Completed")), Status::Failed);
    assert!(waits_for(&bed, "Stalled") && waits_for(&bed, "Finished") && !waits_for(&bed, "Succeeded"));
    // Somebody else's finalizer keeps it, so that it can be looked at.
    bed.try_patch(r#"{"metadata":{"finalizers":["example.test/look"]}}"#).unwrap();
    bed.kubectl(&["delete", "tempestrun", "one", "--wait=false"]);
    assert_eq!(compute(&bed.run()), Status::Terminating);
    bed.try_patch(r#"{"metadata":{"finalizers":[]}}"#).unwrap();
    wait_until("it is gone", SOON, || bed.try_kubectl(&["get", "tempestrun", "one"]).is_err());
}
