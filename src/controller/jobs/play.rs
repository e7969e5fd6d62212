//! The pod's side: plays one attempt of one run, and tells how it goes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::lease::ConfigMapLeases;
use super::told::Told;
use crate::api::executor::Executor;
use crate::api::tempest_run::{Phase, TempestRun};
use crate::controller::attempts;
use crate::controller::credentials::{self, Usable};
use crate::controller::decide::Credentials;
use crate::controller::fence::{fenced, patient};
use crate::controller::lease::{Elector, Leadership, LeaseOptions};
use crate::controller::ledger::ConfigMapLedger;
use crate::controller::maps::MapError;
use crate::controller::publish::write_down;
use crate::controller::status_writer::WriteError;
use crate::controller::tasks::AttemptError;
use crate::controller::{selection, tasks};
use crate::openstack::{EndpointPolicy, SessionOptions};
use crate::plan;
use crate::runner::event::EventSink;
use crate::runner::{Clock, Control, RunInputs, record_verdict, verify};
use crate::scenario::catalogue::{Catalogue, CatalogueError};

/// Between two looks at the run: whether it is cancelled, suspended, or somebody else's.
const EVERY: Duration = Duration::from_secs(2);
/// How long may be undone once the pod is told to stop: less than Kubernetes waits until it kills it.
const GRACE: Duration = Duration::from_secs(50);

/// Which attempt of which run is played, and how.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// The run's namespace.
    pub namespace: String,
    /// The run.
    pub run: String,
    /// Its UID: another run of that name is another run.
    pub uid: String,
    /// The attempt.
    pub attempt: u32,
    /// On everything that it makes in clouds.
    pub installation: String,
    /// Where clouds and name servers may be.
    pub endpoints: EndpointPolicy,
    /// Who this process is, and how long others wait for it.
    pub lease: LeaseOptions,
}

/// Why nothing more is played here.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The built-in suite is broken.
    #[error("the built-in suite cannot be loaded")]
    Catalogue(#[from] CatalogueError),
    /// The API server refused or did not answer.
    #[error("the Kubernetes API cannot be used")]
    Kubernetes(#[from] kube::Error),
    /// What earlier attempts left could not be read.
    #[error(transparent)]
    Earlier(#[from] AttemptError),
    /// The attempt has ended, or another one has begun.
    #[error("attempt {attempt} of run {run} is not, or no longer, to be played here")]
    NotOurs {
        /// The run.
        run: String,
        /// The attempt.
        attempt: u32,
    },
    /// Another pod played this attempt before.
    #[error("another pod began this attempt; what is left of it is for the operator")]
    Begun,
    /// What it needs cannot be used any more.
    #[error("what the run needs cannot be used any more: {message}")]
    Unusable {
        /// Why.
        message: String,
    },
    /// It was told to stop before the run ended.
    #[error("told to stop before the run ended")]
    Interrupted,
    /// It was not heard of for too long.
    #[error("others may take this pod for lost; it ends so that it cannot act beside them")]
    Lost,
    /// How it goes cannot be told.
    #[error("how the run goes cannot be told")]
    Telling(#[from] WriteError),
    /// That it begins cannot be told.
    #[error("that the run begins cannot be told")]
    Begin(#[from] MapError),
}

/// Plays until the run has ended and that is told, or until `shutdown`.
pub async fn play(
    options: PlayOptions,
    client: Client,
    shutdown: CancellationToken,
) -> Result<(), PlayError> {
    let catalogue = Catalogue::built_in()?;
    let asking = patient(client.clone());
    let run = options.look(&asking).await?;
    let leases = Arc::new(ConfigMapLeases::of(client.clone(), &run, options.attempt));
    let elector = Elector::new(leases, options.lease.clone(), Clock::system());
    let held = tokio::select! {
        held = elector.acquire() => held,
        left = options.is_left(&asking) => return Err(left),
        () = shutdown.cancelled() => return Err(PlayError::Interrupted),
    };
    let leadership = held.leadership().clone();
    let ended = tokio::select! {
        ended = play_alone(&options, client, &leadership, catalogue, &shutdown) => ended,
        () = leadership.lost().cancelled() => return Err(PlayError::Lost),
    };
    held.release().await;
    ended
}

/// Plays while nobody else may.
async fn play_alone(
    options: &PlayOptions,
    client: Client,
    leadership: &Leadership,
    built_in: Catalogue,
    shutdown: &CancellationToken,
) -> Result<(), PlayError> {
    let client = fenced(client, leadership.clone());
    // Once more: before this process held the lease, all that was known could change.
    let run = Arc::new(options.look(&client).await?);
    let policy = plan::settings(&run.spec).verdict;
    let told = Told::of(client.clone(), &run, options.attempt, policy.clone());
    if told.load().await?.is_some() {
        return Err(PlayError::Begun);
    }
    let usable = usable(&client, &run, &built_in).await?;
    let identity = attempts::identity(&run, &options.installation, Timestamp::now());
    let store = ConfigMapLedger::of(client.clone(), &run);
    let tasks::Attempt { carried_over, ledger } =
        tasks::attempt(&run, &client, identity.clone(), store).await?;
    told.save(&crate::report::RunReport { tests: carried_over.clone(), ..Default::default() }).await?;
    let planner = tasks::planner(&run, usable.catalogue.clone(), identity.clone());
    let session = SessionOptions {
        policy: options.endpoints.clone(),
        gate: Some(Arc::new(leadership.clone())),
        ..SessionOptions::default()
    };
    let span = tasks::span(&run, &identity);
    let inputs = RunInputs {
        carried_over: carried_over.clone(),
        interrupted: attempts::interrupted(&run),
        ..tasks::run_inputs(&client, &run, identity, usable, session)
    };
    let control = Control { cancel: shutdown.child_token(), ..Control::default() };
    // Before anything begins: what was asked for while the pod was awaited counts from the first test on.
    heed(&run, &control);
    let (sink, events) = EventSink::channel();
    let playing = async {
        verify(inputs, planner, ledger, sink, control.clone(), Clock::system()).await;
    };
    let telling = write_down(&told, &policy, shutdown, events, carried_over, drop);
    let both = async { tokio::join!(playing, telling).1 };
    let too_long = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let report = tokio::select! {
        report = both.instrument(span.clone()) => report?,
        left = options.obey(&client, &control) => return Err(left),
        () = too_long => return Err(PlayError::Interrupted),
    };
    let verdict = report.verdict.ok_or(PlayError::Interrupted)?;
    record_verdict(&span, verdict);
    Ok(())
}

/// Has what is played do what the run's owner wants now.
fn heed(run: &TempestRun, control: &Control) {
    if run.spec.cancel || run.metadata.deletion_timestamp.is_some() {
        control.cancel.cancel();
    }
    control.suspension.set(run.spec.suspend);
}

async fn usable(client: &Client, run: &TempestRun, built_in: &Catalogue) -> Result<Usable, PlayError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
    let read = match selection::catalogue(client, run, built_in).await? {
        Ok(catalogue) => credentials::read(&secrets, run, catalogue).await?,
        Err(bad) => Err(bad),
    };
    read.map_err(|bad| match bad {
        Credentials::Unusable { message, .. } | Credentials::BadSpec { message } => {
            PlayError::Unusable { message }
        }
        Credentials::NotNeeded | Credentials::Usable => PlayError::Unusable { message: String::new() },
    })
}

impl PlayOptions {
    /// The run, if this attempt of it is to be played in a pod.
    async fn look(&self, client: &Client) -> Result<TempestRun, PlayError> {
        let runs: Api<TempestRun> = Api::namespaced(client.clone(), &self.namespace);
        let run = runs.get_opt(&self.run).await?.filter(|run| self.is_ours(run));
        run.ok_or_else(|| self.not_ours())
    }

    fn is_ours(&self, run: &TempestRun) -> bool {
        let status = run.status.clone().unwrap_or_default();
        let run_id = attempts::identity(run, &self.installation, Timestamp::UNIX_EPOCH).run_id;
        run.uid().as_deref() == Some(self.uid.as_str())
            && attempts::number(run) == self.attempt
            && status.run_id == Some(run_id)
            && status.phase != Some(Phase::Completed)
            && run.spec.execution.executor == Some(Executor::Job)
    }

    fn not_ours(&self) -> PlayError {
        PlayError::NotOurs { run: self.run.clone(), attempt: self.attempt }
    }

    /// Waits until the attempt is not to be played here any more.
    async fn is_left(&self, client: &Client) -> PlayError {
        self.obey(client, &Control::default()).await
    }

    /// Does what the run's spec asks for while it is played; returns once the attempt is somebody else's.
    async fn obey(&self, client: &Client, control: &Control) -> PlayError {
        let runs: Api<TempestRun> = Api::namespaced(client.clone(), &self.namespace);
        loop {
            tokio::time::sleep(EVERY).await;
            match runs.get_opt(&self.run).await {
                Ok(Some(run)) if self.is_ours(&run) => heed(&run, control),
                Ok(_) => return self.not_ours(),
                Err(error) => tracing::warn!(%error, "the run cannot be looked at"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    const UID: &str = "11111111-2222-4333-8444-555566667777";

    fn status(attempt: u32, phase: &str) -> Value {
        let run_id = format!("5566667777{attempt:02x}");
        json!({ "attempt": attempt, "runId": run_id, "phase": phase })
    }

    #[rstest]
    #[case::it_is(UID, &status(2, "Running"), "Job", true)]
    #[case::it_cleans_up(UID, &status(2, "CleaningUp"), "Job", true)]
    #[case::it_ended(UID, &status(2, "Completed"), "Job", false)]
    #[case::the_next_attempt_waits(UID, &json!({ "attempt": 3, "phase": "Queued" }), "Job", false)]
    #[case::the_next_attempt_plays(UID, &status(3, "Running"), "Job", false)]
    #[case::it_has_not_begun(UID, &json!({ "attempt": 2, "phase": "Queued" }), "Job", false)]
    #[case::another_object_of_its_name("99999999-2222-4333-8444-555566667777", &status(2, "Running"), "Job", false)]
    #[case::the_operator_plays_it(UID, &status(2, "Running"), "InProcess", false)]
    fn a_pod_plays_its_own_attempt_only(
        #[case] uid: &str,
        #[case] status: &Value,
        #[case] executor: &str,
        #[case] ours: bool,
    ) {
        let run = json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun",
            "metadata": { "name": "one", "namespace": "verify", "uid": uid },
            "spec": { "cloud": { "zoneSuffix": "a.example." }, "execution": { "executor": executor } },
            "status": status,
        });
        let options = PlayOptions {
            namespace: "verify".to_owned(),
            run: "one".to_owned(),
            uid: UID.to_owned(),
            attempt: 2,
            installation: "i".to_owned(),
            endpoints: EndpointPolicy::default(),
            lease: LeaseOptions { identity: "pod".to_owned(), duration: Duration::from_secs(15) },
        };
        assert_eq!(options.is_ours(&serde_json::from_value(run).unwrap()), ours);
    }
}
