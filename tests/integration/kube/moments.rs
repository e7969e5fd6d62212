//! The design's table of conditions, row by row, on real objects: what kstatus, Flux and Argo CD
//! make of them, and what `kubectl wait` says.

use rstest::rstest;
use serde_json::Value;

use super::SOON;
use super::bed::Bed;
use crate::gitops::Health;
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
    assert_eq!(Health::of(&bed.run()), Health::new(Status::InProgress, "Progressing"));
    assert!(!waits_for(&bed, "Ready") && !waits_for(&bed, "Stalled"));
}

#[rstest]
#[case::queued("queued", "hold", "", "Running", Status::InProgress, "Progressing")]
#[case::suspended("suspended", "pass", "suspend: true", "Suspended", Status::InProgress, "Suspended")]
#[case::passed("passed", "pass", "", "Completed", Status::Current, "Healthy")]
#[case::failed("failed", "fail", "", "Completed", Status::Failed, "Degraded")]
#[case::could_not_be_carried_out("errored", "error", "", "Completed", Status::Failed, "Degraded")]
#[case::leaked("leaked", "leak", "", "Completed", Status::Failed, "Degraded")]
#[case::leaked_and_only_warned(
    "warned",
    "leak",
    "execution: {onLeak: Warn}",
    "Completed",
    Status::Current,
    "Healthy"
)]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn every_moment_is_what_the_table_says(
    #[case] name: &str,
    #[case] scene: &str,
    #[case] more: &str,
    #[case] phase: &str,
    #[case] status: Status,
    #[case] argo_cd: &str,
) {
    let bed = Bed::start(&format!("moment-{name}"));
    bed.usable_secret();
    bed.play(scene, more);
    let run = there(&bed, phase);
    assert_eq!(Health::of(&run), Health::new(status, argo_cd), "{run:#}");
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
    let pending = there(&bed, "Pending");
    assert_eq!(Health::of(&pending), Health::new(Status::InProgress, "Progressing"));
    assert!(waits_for(&bed, "Reconciling") && !waits_for(&bed, "Ready") && !waits_for(&bed, "Finished"));
    bed.usable_secret();
    there(&bed, "Running");
    bed.try_patch(r#"{"spec":{"cancel":true}}"#).unwrap();
    let cancelled = there(&bed, "Completed");
    assert_eq!(Health::of(&cancelled), Health::new(Status::Failed, "Degraded"));
    assert!(waits_for(&bed, "Stalled") && waits_for(&bed, "Finished") && !waits_for(&bed, "Succeeded"));
    // Somebody else's finalizer keeps it, so that it can be looked at.
    bed.try_patch(r#"{"metadata":{"finalizers":["example.test/look"]}}"#).unwrap();
    bed.kubectl(&["delete", "tempestrun", "one", "--wait=false"]);
    assert_eq!(compute(&bed.run()), Status::Terminating);
    bed.try_patch(r#"{"metadata":{"finalizers":[]}}"#).unwrap();
    wait_until("it is gone", SOON, || bed.try_kubectl(&["get", "tempestrun", "one"]).is_err());
}
