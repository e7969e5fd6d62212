//! Runs that are played in a pod of their own, `execution.executor: Job`.
//!
//! The operator queues for such a run as for any other, begins it, and makes a Kubernetes Job; what the Job's pod
//! `play`s, it tells in a `ConfigMap`. A task of the operator `follow`s that and publishes it, as if it had played the
//! run itself. Two more things stand between the two: the ledger, which only the pod writes while it plays, and a lease
//! of the attempt, which the pod renews. An operator that comes later follows on; once the lease has run out, whoever
//! leads retires it for good, and only then anybody else touches what the pod made.

mod attempt_job;
pub mod fate;
pub mod follow;
pub mod lease;
pub mod manifest;
mod news;
pub mod play;
pub mod told;

use kube::{Client, ResourceExt};

use super::attempts;
use super::maps::Maps;
use crate::api::tempest_run::TempestRun;

/// Most of a run's name that is in the names of its Jobs: those become values of labels, of 63 characters at most.
const NAME: usize = 40;

/// What the pods of an operator's runs have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobConfig {
    /// Their image; without one this operator plays no run in a pod.
    pub image: Option<String>,
    /// When nodes pull it: `Always`, `IfNotPresent` or `Never`; [`None`]: as Kubernetes has it.
    pub pull_policy: Option<String>,
    /// The service account that they run as, unless a run names another one.
    pub service_account: String,
    /// The Secrets to pull the image with, in the namespaces of the runs.
    pub pull_secrets: Vec<String>,
    /// What they are told besides the run: as whom to act, and how.
    pub arguments: Vec<String>,
}

/// The name of an attempt's Job, and of the `ConfigMap` in which its pod tells how the run goes.
pub fn name(run: &TempestRun, attempt: u32) -> String {
    let short: String = run.name_any().replace('.', "-").chars().take(NAME).collect();
    let uid = run.uid().unwrap_or_default().replace('-', "");
    // The last characters of a UID are random in every version of it.
    let mark = uid.get(uid.len().saturating_sub(10)..).unwrap_or(&uid);
    format!("{}-{mark}-{attempt}", short.trim_end_matches('-'))
}

/// Removes by what pods were followed, once the run has ended and its status says so: whoever comes too late sees it
/// there. What an interrupted attempt left is kept until then, so that no other pod takes it up.
pub async fn forget(client: &Client, run: &TempestRun) {
    let known = attempts::interrupted_numbers(run).into_iter().chain([attempts::number(run)]);
    forget_attempts(client, run, known).await;
}

/// Removes by what the pod was followed of the attempt that the history has no place for any more.
pub async fn forget_oldest(client: &Client, run: &TempestRun) {
    forget_attempts(client, run, attempts::number(run).checked_sub(attempts::HISTORY)).await;
}

async fn forget_attempts(client: &Client, run: &TempestRun, numbers: impl IntoIterator<Item = u32>) {
    let maps = Maps::of(client.clone(), run);
    for attempt in numbers {
        for name in [name(run, attempt), lease::name(run, attempt)] {
            if let Err(error) = maps.delete(&name).await {
                tracing::debug!(%error, name, "what a pod left could not be deleted");
            }
        }
    }
}

/// Who must not forget that an object is a run's.
const RUN_ID: &str = "crossservice.dev/run-id";

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> TempestRun {
        let mut run = TempestRun::new(name, crate::api::tempest_run::TempestRunSpec::default());
        run.metadata.uid = Some("11111111-2222-4333-8444-555566667777".to_owned());
        run
    }

    #[test]
    fn names_fit_into_labels_and_are_an_attempts_own() {
        assert_eq!(name(&run("nightly"), 1), "nightly-5566667777-1");
        assert_ne!(name(&run("nightly"), 1), name(&run("nightly"), 2));
        let long = name(&run(&"a.b-".repeat(60)), 4_000_000_000);
        assert!(long.len() <= 63 && !long.contains('.') && !long.contains("--"), "{long}");
    }
}
