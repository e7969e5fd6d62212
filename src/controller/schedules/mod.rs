//! Makes runs when their time comes: looks at a `TempestSchedule` and its runs, decides, does it, and says so.

mod decide;
mod results;
mod times;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::controller::Action;
use kube::runtime::events::{EventType, Recorder};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;

use super::FIELD_MANAGER;
use super::notify::Notifier;
use crate::api::schedule::{RunResult, TempestSchedule};
use crate::api::tempest_run::{Phase, TempestRun};
use crate::runner::Clock;
use decide::{Note, Observed, Start, Step, decide, refused};
use results::Run;
use times::Times;

/// On each run that a schedule made: the schedule's name.
pub const SCHEDULE_LABEL: &str = "crossservice.dev/schedule";
/// On such a run: the time that it was made for (RFC 3339).
pub const SCHEDULED_AT: &str = "crossservice.dev/scheduled-at";
/// Between two attempts after trouble with the API server.
const AGAIN: Duration = Duration::from_secs(10);

/// What keeping schedules needs.
pub struct Context {
    /// Kubernetes.
    pub client: Client,
    /// Publishes Events.
    pub recorder: Recorder,
    /// Tells the time of day.
    pub clock: Clock,
}

/// Looks at one schedule and does what is due.
pub async fn keep(schedule: Arc<TempestSchedule>, context: Arc<Context>) -> Result<Action, kube::Error> {
    if schedule.meta().deletion_timestamp.is_some() {
        // Its runs go with it: they are owned.
        return Ok(Action::await_change());
    }
    let runs: Api<TempestRun> =
        Api::namespaced(context.client.clone(), &schedule.namespace().unwrap_or_default());
    let name = schedule.name_any();
    let label = format!("{SCHEDULE_LABEL}={name}");
    let owned = |run: &TempestRun| {
        run.owner_references().iter().any(|owner| Some(&owner.uid) == schedule.meta().uid.as_ref())
    };
    let listed = runs.list(&ListParams::default().labels(&label)).await?;
    let seen: Vec<Run> = listed.iter().filter(|run| owned(run)).map(of).collect();
    let before = schedule.status.clone().unwrap_or_default();
    let times = Times::parse(&schedule.spec.schedule, schedule.spec.time_zone.as_deref());
    let observed = Observed {
        name: &name,
        generation: schedule.meta().generation,
        created: schedule.creation_timestamp().map_or_else(|| context.clock.now(), |time| time.0),
        spec: &schedule.spec,
        times: &times,
        status: &before,
        runs: &seen,
    };
    let mut step = decide(&observed, context.clock.now());
    clear(&runs, &step).await?;
    if let Some(start) = step.start.clone()
        && let Some(words) = make(&schedule, &context, &runs, &start).await?
    {
        step = refused(&observed, step, &start, &words, context.clock.now());
    }
    if before != step.status {
        write(&schedule, &context.client, &step).await?;
    }
    let notifier = Notifier::new(context.recorder.clone(), schedule.object_ref(&()));
    for Note { type_, reason, text } in step.notes {
        notifier.publish(type_, reason, "Schedule", &text).await;
    }
    Ok(Action::requeue(step.again))
}

/// Trouble with the API server is waited out.
#[expect(clippy::needless_pass_by_value, reason = "the controller's own signature")]
pub fn on_error(schedule: Arc<TempestSchedule>, error: &kube::Error, _: Arc<Context>) -> Action {
    let (namespace, name) = (schedule.namespace(), schedule.name_any());
    tracing::warn!(%error, namespace, schedule = name, "a schedule could not be kept");
    Action::requeue(AGAIN)
}

/// Makes room first: a quota may count what is to be deleted.
async fn clear(runs: &Api<TempestRun>, step: &Step) -> Result<(), kube::Error> {
    for name in &step.cancel {
        let cancel = Patch::Merge(json!({ "spec": { "cancel": true } }));
        is_there(runs.patch(name, &PatchParams::default(), &cancel).await)?;
    }
    for name in &step.delete {
        is_there(runs.delete(name, &DeleteParams::background()).await)?;
    }
    Ok(())
}

/// Makes a run; the API server's words where it refuses: a quota, a policy, a label that is none.
async fn make(
    schedule: &TempestSchedule,
    context: &Context,
    runs: &Api<TempestRun>,
    start: &Start,
) -> Result<Option<String>, kube::Error> {
    match runs.create(&PostParams::default(), &made_for(schedule, start)).await {
        // Made before, by whoever did not come to say so.
        Err(kube::Error::Api(answer)) if answer.code == 409 => {}
        Err(kube::Error::Api(answer)) if matches!(answer.code, 400 | 403 | 422) => {
            return Ok(Some(answer.message.clone()));
        }
        Err(error) => return Err(error),
        Ok(_) => {
            let notifier = Notifier::new(context.recorder.clone(), schedule.object_ref(&()));
            let text = format!("made {}", start.name);
            notifier.publish(EventType::Normal, "RunMade", "Schedule", &text).await;
        }
    }
    Ok(None)
}

/// What is gone already is as good as done.
fn is_there<T>(answer: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match answer {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        other => other.map(drop),
    }
}

async fn write(schedule: &TempestSchedule, client: &Client, step: &Step) -> Result<(), kube::Error> {
    let api: Api<TempestSchedule> =
        Api::namespaced(client.clone(), &schedule.namespace().unwrap_or_default());
    let patch = Patch::Apply(json!({
        "apiVersion": TempestSchedule::api_version(&()),
        "kind": TempestSchedule::kind(&()),
        // Decided about exactly this version: what changed since is looked at first.
        "metadata": { "uid": schedule.uid(), "resourceVersion": schedule.resource_version() },
        "status": step.status,
    }));
    let params = PatchParams::apply(FIELD_MANAGER).force();
    is_there(api.patch_status(&schedule.name_any(), &params, &patch).await)
}

fn made_for(schedule: &TempestSchedule, start: &Start) -> TempestRun {
    let template = &schedule.spec.run_template;
    let mut run = TempestRun::new(&start.name, template.spec.clone());
    let mut labels: BTreeMap<String, String> = template.metadata.labels.clone();
    labels.insert(SCHEDULE_LABEL.to_owned(), schedule.name_any());
    let mut annotations = template.metadata.annotations.clone();
    annotations.extend(start.schedule_time.map(|time| (SCHEDULED_AT.to_owned(), time.to_string())));
    run.metadata = ObjectMeta {
        name: Some(start.name.clone()),
        labels: Some(labels),
        annotations: Some(annotations),
        owner_references: schedule.controller_owner_ref(&()).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    };
    run
}

/// What of a run matters to its schedule.
fn of(run: &TempestRun) -> Run {
    let status = run.status.clone().unwrap_or_default();
    let schedule_time = run.annotations().get(SCHEDULED_AT).and_then(|time| time.parse::<Timestamp>().ok());
    let took = status.start_time.zip(status.completion_time).map(|(start, end)| end.duration_since(start));
    let verdict = status.verdict.filter(|_| status.phase == Some(Phase::Completed));
    let end = verdict.map(|verdict| RunResult {
        run: run.name_any(),
        schedule_time,
        completion_time: status.completion_time,
        verdict,
        seconds: took.and_then(|took| u64::try_from(took.as_secs()).ok()),
        passed: status.summary.map(|summary| format!("{}/{}", summary.passed, summary.total)),
    });
    let is_held = status.kept_until.is_some() || run.meta().deletion_timestamp.is_some();
    Run { name: run.name_any(), end, is_held }
}
