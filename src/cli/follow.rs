//! Following a run in a cluster to its end, over watches that break off.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use tempest_operator::api::tempest_run::{Phase, TempestRun};
use tokio::time::{Instant, timeout_at};

use super::cluster::{Cluster, refused};
use super::problem::Problem;

/// Waits for the end of a run, also of one that is yet to be made; `seen` hears of each change, and of [`None`] while
/// there is no such object. A watch that breaks off is begun anew, as long as the run may be watched at all.
pub async fn to_the_end(
    cluster: &Cluster,
    name: &str,
    limit: Option<Duration>,
    mut seen: impl FnMut(Option<&TempestRun>) -> Result<(), Problem>,
) -> Result<TempestRun, Problem> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut changes = pin!(watcher::watch_object(cluster.runs(), name).default_backoff());
    loop {
        let change = match deadline {
            Some(deadline) => timeout_at(deadline, changes.next()).await.map_err(|_| {
                let named = cluster.named(name);
                Problem::unable(format!(
                    "{named} has not ended within {} s",
                    limit.unwrap_or_default().as_secs()
                ))
                .next("allow more time, or see its status; the run goes on")
            })?,
            None => changes.next().await,
        };
        match change {
            Some(Ok(run)) => {
                seen(run.as_ref())?;
                if let Some(run) = run.filter(has_ended) {
                    return Ok(run);
                }
            }
            Some(Err(error)) => {
                if let Some(status) = said_no(&error) {
                    let error = kube::Error::Api(Box::new(status));
                    return Err(refused(
                        format!("{} cannot be waited for", cluster.named(name)),
                        error,
                        "list and watch",
                    ));
                }
                tracing::info!(%error, "the watch broke off; it is begun anew");
            }
            // A watch never ends by itself.
            None => return Err(Problem::unable(format!("{} is watched no more", cluster.named(name)))),
        }
    }
}

/// The API server's no, if trying again will not change it.
fn said_no(error: &watcher::Error) -> Option<kube::core::Status> {
    let (watcher::Error::InitialListFailed(error)
    | watcher::Error::WatchStartFailed(error)
    | watcher::Error::WatchFailed(error)) = error
    else {
        return None;
    };
    match error {
        kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404) => Some((**status).clone()),
        _ => None,
    }
}

/// Whether the run has ended for its spec as it is: what changed since, its token above all, was seen.
pub fn has_ended(run: &TempestRun) -> bool {
    run.status.as_ref().is_some_and(|status| {
        status.phase == Some(Phase::Completed) && status.observed_generation == run.metadata.generation
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::ended("Completed", 2, true)]
    #[case::its_token_changed("Completed", 1, false)]
    #[case::plays("Running", 2, false)]
    fn a_run_has_ended_for_its_spec_as_it_is(#[case] phase: &str, #[case] seen: i64, #[case] ended: bool) {
        let run = json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun",
            "metadata": { "name": "one", "generation": 2 },
            "spec": { "cloud": { "zoneSuffix": "a.example." } },
            "status": { "phase": phase, "observedGeneration": seen },
        });
        assert_eq!(has_ended(&serde_json::from_value(run).unwrap()), ended);
    }
}
