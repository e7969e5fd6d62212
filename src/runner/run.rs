//! A whole run: connect, look, plan, play, undo, audit.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::{Admission, CloudIdentity, Leave};
use super::audit;
use super::clock::Clock;
use super::cloud::{Cloud, fault_of, with_sources};
use super::context::RunContext;
use super::control::Control;
use super::discover::discover;
use super::event::{EventKind, EventSink, RunEnd};
use super::fault::StepFault;
use super::ledger::Ledger;
use super::play::play;
use super::rhythm::Rhythm;
use super::undo::Undoing;
use crate::openstack::{CloudConfig, Interface, Session, SessionOptions};
use crate::outcome::{Leak, Outcome, Reason, Role, RunFault, TestResult};
use crate::plan::{CloudFacts, CloudRequest, Decision, PlanError, PlannedTest, RunIdentity, RunPlan};

/// What a run starts from.
#[derive(Clone)]
pub struct RunInputs {
    /// What it is called.
    pub run: RunIdentity,
    /// The credentials, one entry of clouds.yaml a role.
    pub clouds: BTreeMap<Role, CloudConfig>,
    /// What of the cloud may be used.
    pub request: CloudRequest,
    /// How sessions behave: whom they may speak to, who hears of it.
    pub options: SessionOptions,
    /// How long things take in this cloud; kept between runs by whoever has several.
    pub rhythm: Rhythm,
    /// Who gives leave to play; [`None`]: nobody needs to.
    pub admission: Option<Arc<dyn Admission>>,
    /// Results of an earlier attempt: these tests are not played again.
    pub carried_over: Vec<TestResult>,
}

/// Turns what was found of the cloud into what is played.
pub type Planner = Box<dyn FnOnce(CloudFacts) -> Result<RunPlan, PlanError> + Send>;

/// Plays a whole run and tells everything that happens as events; they end with `RunFinished`.
pub async fn verify(
    inputs: RunInputs,
    planner: Planner,
    ledger: Arc<Ledger>,
    events: EventSink,
    control: Control,
    clock: Clock,
) -> RunEnd {
    let playing = whole_run(inputs, planner, ledger, &events, &control, &clock);
    let end = tokio::select! {
        end = playing => end,
        () = control.abandon.cancelled() => RunEnd {
            fault: Some(RunFault {
                reason: Reason::Cancelled,
                message: "stopped at once; what was made is still in the ledger".to_owned(),
                evidence: crate::outcome::Evidence::default(),
            }),
            leaked: Vec::new(),
        },
    };
    events.send(clock.now(), EventKind::RunFinished { end: Box::new(end.clone()) });
    end
}

async fn whole_run(
    inputs: RunInputs,
    planner: Planner,
    ledger: Arc<Ledger>,
    events: &EventSink,
    control: &Control,
    clock: &Clock,
) -> RunEnd {
    let ended = |fault: RunFault| RunEnd { fault: Some(fault), leaked: Vec::new() };
    let sessions = tokio::select! {
        sessions = connect(&inputs) => sessions,
        () = control.cancel.cancelled() => Err(cancelled()),
    };
    let leave = match &sessions {
        Ok(sessions) => admit(&inputs, sessions, control).await,
        Err(fault) => Err(fault.clone()),
    };
    // Whoever waits for its turn has not begun.
    events.send(clock.now(), EventKind::RunStarted { run: inputs.run.clone() });
    let (sessions, _leave) = match (sessions, leave) {
        (Ok(sessions), Ok(leave)) => (sessions, leave),
        (Err(fault), _) | (_, Err(fault)) => return ended(fault),
    };
    let facts = tokio::select! {
        facts = discover(&sessions, &inputs.request, &inputs.options.policy) => facts,
        () = control.cancel.cancelled() => return ended(cancelled()),
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(fault) => return ended(run_fault(fault)),
    };
    events.send(clock.now(), EventKind::Discovered { facts: Box::new(facts.clone()) });
    let cloud = Cloud::new(sessions).knowing(&facts);
    let plan = match planner(facts) {
        Ok(plan) => plan,
        Err(error) => {
            let message = with_sources(&error);
            return ended(RunFault {
                reason: Reason::InvalidSpec,
                message,
                evidence: crate::outcome::Evidence::default(),
            });
        }
    };
    let tests = plan.tests.iter().map(|test| test.name.clone()).collect();
    events.send(clock.now(), EventKind::Planned { tests });
    let deadline = Instant::now() + plan.settings.run_timeout;
    let run = Arc::new(RunContext {
        plan,
        cloud,
        ledger,
        events: events.clone(),
        clock: clock.clone(),
        rhythm: inputs.rhythm,
        cancel: control.cancel.child_token(),
        abandon: control.abandon.clone(),
        deadline,
    });
    play_all(&run).await;
    finish(&run, control).await
}

/// Waits for leave to play.
async fn admit(
    inputs: &RunInputs,
    sessions: &BTreeMap<Role, Session>,
    control: &Control,
) -> Result<Option<Leave>, RunFault> {
    let Some((admission, session)) = inputs.admission.as_ref().zip(sessions.get(&Role::Primary)) else {
        return Ok(None);
    };
    let identity = CloudIdentity::of(session);
    tokio::select! {
        leave = admission.admit(&identity) => leave.map(Some),
        () = control.cancel.cancelled() => Err(cancelled()),
    }
}

/// Plays all tests, at most so many at once; those that do not start are told of, too.
async fn play_all(run: &Arc<RunContext>) {
    let places = Arc::new(Semaphore::new(run.plan.settings.max_parallel.max(1)));
    let failed = CancellationToken::new();
    let mut playing = JoinSet::new();
    for index in 0..run.plan.tests.len() {
        let (run, places, failed) = (Arc::clone(run), Arc::clone(&places), failed.clone());
        playing.spawn(async move {
            let Some(test) = run.plan.tests.get(index) else { return };
            let scenario = match &test.decision {
                Decision::Play(scenario) => Arc::clone(scenario),
                Decision::Skip { reason, message } => {
                    return not_started(&run, test, Outcome::Skipped, *reason, message.clone());
                }
            };
            // The semaphore is never closed; without a permit the test is played all the same.
            let _permit = places.acquire().await;
            if run.cancel.is_cancelled() {
                let message = "the run was cancelled before this test started".to_owned();
                return not_started(&run, test, Outcome::Cancelled, Reason::Cancelled, message);
            }
            if Instant::now() >= run.deadline {
                let message = "the time allowed to the run ended before this test started".to_owned();
                return not_started(&run, test, Outcome::TimedOut, Reason::RunTimedOut, message);
            }
            if failed.is_cancelled() {
                let message = "an earlier test failed, and the run stops at the first failure".to_owned();
                return not_started(&run, test, Outcome::Skipped, Reason::FailFast, message);
            }
            let result = play(&run, test, &scenario).await;
            let bad = matches!(result.outcome, Outcome::Failed | Outcome::Errored | Outcome::TimedOut);
            if bad && run.plan.settings.fail_fast {
                failed.cancel();
            }
        });
    }
    while let Some(end) = playing.join_next().await {
        if let Err(error) = end {
            tracing::error!(%error, "a test's task broke");
        }
    }
}

fn not_started(run: &RunContext, test: &PlannedTest, outcome: Outcome, reason: Reason, message: String) {
    let result = TestResult {
        required: test.required,
        ..TestResult::not_started(&test.name, test.id.clone(), outcome, reason, message)
    };
    run.tell(EventKind::TestFinished { result: Box::new(result) });
}

/// What is still in the ledger is undone once more, then everything that carries the run's prefix is looked for.
async fn finish(run: &RunContext, control: &Control) -> RunEnd {
    run.tell(EventKind::CleaningUp);
    let undoing = Undoing::of(run);
    let open = run.ledger.open().await;
    // Each test has told its own leaks; here only what vanished meanwhile is struck out.
    let known = undoing.undo_all(open).await;
    let leaked = audit::audit(&undoing, None, &run.plan.run.prefix(), &known).await;
    if let Err(error) = run.ledger.close().await {
        tracing::warn!(%error, "the ledger could not be closed");
    }
    let fault = control.cancel.is_cancelled().then(cancelled);
    RunEnd { fault, leaked }
}

/// Opens a session for every role that is asked for.
async fn connect(inputs: &RunInputs) -> Result<BTreeMap<Role, Session>, RunFault> {
    let mut sessions = BTreeMap::new();
    for (role, cloud) in &inputs.clouds {
        let mut cloud = cloud.clone();
        let entry = cloud.name.clone();
        if let Some(region) = &inputs.request.region {
            cloud.region = Some(region.clone());
        }
        if let Some(interface) =
            inputs.request.interface.as_deref().and_then(|text| text.parse::<Interface>().ok())
        {
            cloud.interface = interface;
        }
        let session = Session::connect(cloud, inputs.options.clone()).await.map_err(|error| {
            let fault = fault_of(&error);
            let message = format!("{role} (entry '{entry}'): {}", fault.message);
            RunFault { reason: fault.reason, message, evidence: fault.evidence }
        })?;
        sessions.insert(*role, session);
    }
    Ok(sessions)
}

/// Looks at the cloud without changing it.
pub async fn preflight(inputs: &RunInputs) -> Result<CloudFacts, RunFault> {
    let sessions = connect(inputs).await?;
    discover(&sessions, &inputs.request, &inputs.options.policy).await.map_err(run_fault)
}

/// Undoes what an earlier process left in its ledger, then audits. What remains is returned.
pub async fn undo(inputs: &RunInputs, ledger: &Ledger, control: &Control) -> Result<Vec<Leak>, RunFault> {
    let cloud = Cloud::new(connect(inputs).await?);
    let undoing =
        Undoing { cloud: &cloud, ledger, rhythm: &inputs.rhythm, abandon: &control.abandon, scale: 1.0 };
    let mut leaked = undoing.undo_all(ledger.open().await).await;
    let prefix = ledger.run().await.prefix();
    leaked.extend(audit::audit(&undoing, None, &prefix, &leaked).await);
    if let Err(error) = ledger.close().await {
        tracing::warn!(%error, "the ledger could not be closed");
    }
    Ok(leaked.into_iter().filter(|leak| !leak.removed).collect())
}

/// Finds, and unless it is only to be shown removes, everything that this installation made before `before`.
///
/// # Errors
/// When the cloud cannot be asked for everything: then nobody knows that nothing is left.
pub async fn sweep(
    inputs: &RunInputs,
    before: Timestamp,
    dry_run: bool,
    control: &Control,
) -> Result<Vec<Leak>, RunFault> {
    let cloud = Cloud::new(connect(inputs).await?);
    let (found, unknown) = super::sweep::find(&cloud, &inputs.run.installation, before).await;
    let known_to_be_all = || unknown.into_iter().next().map_or(Ok(()), |fault| Err(run_fault(fault)));
    if dry_run {
        known_to_be_all()?;
        return Ok(found.into_iter().map(super::sweep::as_leak).collect());
    }
    // Nothing new is made here, so nothing is written down.
    let ledger = Ledger::new(inputs.run.clone(), Box::new(super::ledger::Forgetful));
    let undoing = Undoing {
        cloud: &cloud,
        ledger: &ledger,
        rhythm: &inputs.rhythm,
        abandon: &control.abandon,
        scale: 1.0,
    };
    let left = audit::remove(&undoing, found, &[]).await;
    known_to_be_all()?;
    Ok(left)
}

fn cancelled() -> RunFault {
    run_fault(StepFault::cancelled())
}

fn run_fault(fault: StepFault) -> RunFault {
    RunFault { reason: fault.reason, message: fault.message, evidence: fault.evidence }
}
