//! The operator's side: a task that queues for a run, makes its Job, and publishes what its pod tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::runtime::events::EventType;
use kube::{Api, Resource, ResourceExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::attempt_job::{AttemptJob, MakeError, state};
use super::fate::{Fate, JobState, LeaseState, Seen, fate};
use super::lease::{ConfigMapLeases, Watched};
use super::manifest::{cloud_of, job};
use super::news::news;
use super::told::Told;
use crate::api::tempest_run::TempestRun;
use crate::controller::attempts;
use crate::controller::credentials::Usable;
use crate::controller::lease::StoreError;
use crate::controller::publish::Publisher;
use crate::controller::queue::Entry;
use crate::controller::reconcile::Context;
use crate::controller::reports::Reports;
use crate::controller::status_writer::{StatusWriter, is_same_attempt};
use crate::controller::supervise::TaskEnd;
use crate::controller::tasks::{self, notifier, writer};
use crate::outcome::{Evidence, Reason, RunFault};
use crate::plan::{self, RunIdentity};
use crate::report::RunReport;
use crate::runner::event::{EventKind, EventSink, RunEnd};
use crate::runner::{Admission, CloudIdentity, Control, Leave, RunInputs, identify, record_verdict};

/// Between two looks at what a pod tells.
const EVERY: Duration = Duration::from_secs(2);
/// How long the cloud is asked whose it is, before it is taken for what the Secret says.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a run gets its place among those that play.
enum Place {
    /// It queues for it.
    Queue { admission: Box<dyn Admission>, inputs: Box<RunInputs> },
    /// It has one: its pod plays already.
    Taken,
}

/// Starts the task that queues for a run, makes its Job and follows it.
pub fn start(run: Arc<TempestRun>, context: &Arc<Context>, usable: Usable) {
    let identity = attempts::identity(&run, &context.installation, context.clock.now());
    let control = Control::default();
    let locks = plan::needs_locks(&run.spec, &usable.catalogue);
    let writer = Arc::new(writer(&run, context));
    let admission = tasks::admission(&run, context, &identity, &control, Arc::clone(&writer), true, locks);
    let inputs = Box::new(tasks::inputs(context, &run, identity, usable));
    follow(run, context, control, writer, Place::Queue { admission: Box::new(admission), inputs });
}

/// Starts the task that follows a run whose pod may be playing it.
pub fn adopt(run: Arc<TempestRun>, context: &Arc<Context>) {
    let writer = Arc::new(writer(&run, context));
    follow(run, context, Control::default(), writer, Place::Taken);
}

fn follow(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    control: Control,
    writer: Arc<StatusWriter>,
    place: Place,
) {
    let identity = attempts::identity(&run, &context.installation, context.clock.now());
    let span = tasks::span(&run, &identity);
    let (supervisor, looked_at) = (context.supervisor.clone(), Arc::clone(&run));
    let (context, given, within) = (Arc::clone(context), control.clone(), span.clone());
    let following = move || async move {
        let ended = Box::pin(publish(&run, &context, identity, given, &writer, place)).await;
        if let Some(report) = ended
            && let Some(verdict) = report.verdict
        {
            record_verdict(&span, verdict);
            context.metrics.run_finished(verdict, report.duration());
        }
        TaskEnd::Done
    };
    supervisor.start(&looked_at, control, || following().instrument(within));
}

/// Follows a pod and publishes what it tells; gives the report if it is this task's to the end.
async fn publish(
    run: &Arc<TempestRun>,
    context: &Arc<Context>,
    identity: RunIdentity,
    control: Control,
    writer: &StatusWriter,
    place: Place,
) -> Option<RunReport> {
    if matches!(place, Place::Taken) && !is_open(run, context).await {
        return None;
    }
    let attempt = attempts::number(run);
    let policy = plan::settings(&run.spec).verdict;
    let (sink, events) = EventSink::channel();
    let notifier = notifier(run, context);
    let publisher = Publisher {
        writer,
        reports: &Reports::of(context.client.clone(), Arc::clone(run), attempt),
        notifier: &notifier,
        metrics: &context.metrics,
        policy: policy.clone(),
        base: tasks::begun(run, &identity),
        handing_over: context.supervisor.handing_over(),
        truncated: Arc::default(),
    };
    let leases = ConfigMapLeases::of(context.client.clone(), run, attempt);
    let superseded = CancellationToken::new();
    let mut follower = Follower {
        run: Arc::clone(run),
        job: AttemptJob::of(context.client.clone(), run, attempt),
        told: Told::of(context.client.clone(), run, attempt, policy),
        lease: Watched::new(leases, context.clock.clone()),
        context: Arc::clone(context),
        attempt,
        identity,
        control,
        superseded: superseded.clone(),
        truncated: Arc::clone(&publisher.truncated),
        acknowledged: acknowledged(run),
        before: RunReport::default(),
        since: Instant::now(),
        sink,
    };
    let publishing = async {
        let written = publisher.follow(events, attempts::carried_over(run, None)).await;
        if written.is_err() {
            superseded.cancel();
        }
        written
    };
    let following = async {
        let lost = follower.follow(place).await;
        // Its sink goes with it, and so the publishing ends.
        drop(follower);
        lost
    };
    let (lost, written) = tokio::join!(following, publishing);
    if let Some(why) = lost {
        let message = format!("the pod of attempt {attempt} is lost: {why}");
        notifier.publish(EventType::Warning, "PodLost", "Play", &message).await;
    }
    match written {
        Ok(report) if report.verdict.is_some() => {
            super::forget(&context.client, run).await;
            Some(report)
        }
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, "no longer followed here");
            None
        }
    }
}

/// Whether the attempt still goes on: what was looked at may be older than the end that this process wrote itself.
async fn is_open(run: &TempestRun, context: &Context) -> bool {
    let runs: Api<TempestRun> = Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    let handing_over = context.supervisor.handing_over();
    loop {
        match runs.get_opt(&run.name_any()).await {
            Ok(now) => {
                let before = run.status.clone().unwrap_or_default();
                return now.is_some_and(|now| now.uid() == run.uid() && is_same_attempt(&before, &now));
            }
            Err(error) => tracing::warn!(%error, "the run cannot be looked at"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = handing_over.cancelled() => return false,
        }
    }
}

/// The tests whose outcome the status has.
fn acknowledged(run: &TempestRun) -> Vec<String> {
    let tests = run.status.iter().flat_map(|status| &status.tests);
    tests.filter(|test| test.outcome.is_some()).map(|test| test.name.clone()).collect()
}

struct Follower {
    run: Arc<TempestRun>,
    context: Arc<Context>,
    job: AttemptJob,
    told: Told,
    lease: Watched,
    attempt: u32,
    identity: RunIdentity,
    control: Control,
    /// Set when the run is another process's.
    superseded: CancellationToken,
    truncated: Arc<AtomicBool>,
    acknowledged: Vec<String>,
    before: RunReport,
    since: Instant,
    sink: EventSink,
}

/// Why a look led nowhere.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error("the Kubernetes API cannot be used")]
    Kubernetes(#[from] kube::Error),
    #[error(transparent)]
    Lease(#[from] StoreError),
}

impl Follower {
    /// Follows to the end, or for as long as this process may; tells why when the pod is lost.
    async fn follow(&mut self, place: Place) -> Option<String> {
        let _leave = match place {
            Place::Taken => self.taken().await,
            Place::Queue { admission, inputs } => match self.queue(&*admission, &inputs).await {
                Ok((leave, cloud)) => {
                    self.make(&cloud).await?;
                    Some(leave)
                }
                Err(fault) => {
                    self.end(fault);
                    return None;
                }
            },
        };
        self.since = Instant::now();
        let handing_over = self.context.supervisor.handing_over();
        loop {
            match self.look().await {
                Ok(None) => {}
                Ok(Some(Fate::Lost { why })) => return Some(why),
                Ok(Some(_)) => return None,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a pod cannot be followed");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                // The pod plays on; whoever leads next follows it.
                () = handing_over.cancelled() => return None,
                () = self.superseded.cancelled() => return None,
            }
        }
    }

    /// A place for a pod that plays already, as its Job tells where.
    async fn taken(&mut self) -> Option<Leave> {
        let found = self.job.find().await;
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(%error, "a Job cannot be read");
            None
        });
        let cloud = found.as_ref().map(cloud_of).unwrap_or_default();
        let entry = Entry {
            uid: self.run.uid().unwrap_or_default(),
            namespace: self.run.namespace().unwrap_or_default(),
            created: self.run.creation_timestamp().map(|time| time.0).unwrap_or_default(),
            cloud,
            suspended: false,
            elsewhere: true,
            // Whether it holds locks is not known here, so it is taken to.
            locks: true,
        };
        Some(self.context.admissions.adopt(entry))
    }

    /// Waits for its turn; then the status says that the attempt began.
    async fn queue(
        &self,
        admission: &dyn Admission,
        inputs: &RunInputs,
    ) -> Result<(Leave, CloudIdentity), RunFault> {
        let waiting = async {
            let cloud = whose(inputs).await;
            let leave = admission.admit(&cloud).await?;
            Ok((leave, cloud))
        };
        tokio::select! {
            // First, so that a run that is cancelled with all others does not begin in the place of one of them.
            biased;
            () = self.control.cancel.cancelled() => Err(RunFault {
                reason: Reason::Cancelled,
                message: "the run was cancelled".to_owned(),
                evidence: Evidence::default(),
            }),
            waited = waiting => waited,
        }
    }

    /// Makes the Job; what the API server says no to ends the run.
    async fn make(&mut self, cloud: &CloudIdentity) -> Option<()> {
        let config = &self.context.jobs;
        let image = config.image.as_deref().unwrap_or_default();
        let made = job(&self.run, self.attempt, &self.identity.run_id, cloud, image, config);
        let handing_over = self.context.supervisor.handing_over();
        loop {
            match self.job.make(&made).await {
                Ok(()) => return Some(()),
                Err(refused @ MakeError::Refused(_)) => {
                    self.end(RunFault {
                        reason: Reason::InvalidSpec,
                        message: refused.to_string(),
                        evidence: Evidence::default(),
                    });
                    return None;
                }
                Err(error) => tracing::warn!(%error, "the Job was not made; tried again"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = handing_over.cancelled() => return None,
                () = self.superseded.cancelled() => return None,
            }
        }
    }

    /// Ends a run of which no pod has played anything.
    fn end(&self, fault: RunFault) {
        let now = self.context.clock.now();
        self.sink.send(now, EventKind::RunStarted { run: self.identity.clone() });
        let end = RunEnd { fault: Some(fault), leaked: Vec::new() };
        self.sink.send(now, EventKind::RunFinished { end: Box::new(end) });
    }

    /// One look; tells what is new, and what has become of the pod once that is final.
    async fn look(&mut self) -> Result<Option<Fate>, LookError> {
        // In this order: whoever gave its lease back had told everything before.
        let lease = self.lease.look().await?;
        let mut found = self.job.find().await?;
        self.hear().await?;
        let was_never_made = found.is_none() && lease == LeaseState::Absent && self.before.run.is_none();
        if was_never_made && !self.is_cancelled() && self.context.jobs.image.is_some() {
            // Whoever began the attempt ended before it could make the Job.
            if self.make(&CloudIdentity::default()).await.is_none() {
                return Ok(Some(Fate::Finished));
            }
            found = self.job.find().await?;
        }
        let seen = Seen {
            job: state(found.as_ref()),
            lease,
            told_the_end: self.before.verdict.is_some(),
            waited: self.since.elapsed(),
            cancelled: self.is_cancelled(),
        };
        match fate(&seen) {
            Fate::Starting | Fate::Playing => Ok(None),
            Fate::Finished => Ok(Some(Fate::Finished)),
            lost @ Fate::Lost { .. } => {
                // From here on no pod plays this attempt, and none can begin to.
                self.lease.retire().await?;
                self.hear().await?;
                if seen.job == JobState::Active {
                    self.job.delete().await?;
                }
                let has_ended = self.before.verdict.is_some();
                Ok(Some(if has_ended { Fate::Finished } else { lost }))
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        self.control.cancel.is_cancelled()
            || self.run.spec.cancel
            || self.run.meta().deletion_timestamp.is_some()
    }

    /// Hears what the pod told since the last time.
    async fn hear(&mut self) -> Result<(), LookError> {
        let Some(after) = self.told.load().await? else { return Ok(()) };
        if after.truncated {
            self.truncated.store(true, Ordering::Relaxed);
        }
        for event in news(&self.before, &after, &self.acknowledged, self.context.clock.now()) {
            self.sink.send(event.at, event.kind);
        }
        self.before = after;
        Ok(())
    }
}

/// Whose cloud it is. An operator that cannot reach it takes the Secret at its word.
async fn whose(inputs: &RunInputs) -> CloudIdentity {
    match tokio::time::timeout(PATIENCE, identify(inputs)).await {
        Ok(Ok(cloud)) => return cloud,
        Ok(Err(fault)) => tracing::info!(reason = %fault.reason, "the cloud is known only by its Secret"),
        Err(_) => tracing::info!("the cloud is known only by its Secret: no answer"),
    }
    let primary = inputs.clouds.get(&crate::outcome::Role::Primary);
    CloudIdentity {
        endpoint: primary.map(|cloud| cloud.auth_url.origin().ascii_serialization()).unwrap_or_default(),
        project_id: primary.map(|cloud| format!("{:?}", cloud.scope)).unwrap_or_default(),
    }
}
