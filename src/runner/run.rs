//! A whole run: connect, look, plan, play, undo, audit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use tokio::join;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::admission::{Admission, CloudIdentity, Leave};
use super::audit::{self, Marks};
use super::clock::Clock;
use super::cloud::{Cloud, fault_of, with_sources};
use super::context::RunContext;
use super::control::{Control, Suspension};
use super::deadline::{Deadline, follow_suspension};
use super::discover::discover;
use super::event::{EventKind, EventSink, RunEnd};
use super::fault::StepFault;
use super::ledger::Ledger;
use super::locks::Locks;
use super::rhythm::Rhythm;
use super::spans::in_test;
use super::sweep::SweepFirst;
use super::tries::play_tries;
use super::undo::{Undoing, carries};
use crate::openstack::{CloudConfig, Error, Interface, Session, SessionOptions};
use crate::outcome::{Leak, Outcome, Reason, Role, RunFault, TestResult, Verdict};
use crate::plan::{CloudFacts, CloudRequest, Decision, PlanError, PlannedTest, RunIdentity, RunPlan};

/// Templates that Heat validates at the same time.
const VALIDATIONS: usize = 4;

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
    /// The prefixes of earlier attempts that were interrupted: what carries them is looked for, too.
    pub interrupted: Vec<String>,
    /// Locks of scenarios; kept between runs by whoever has several.
    pub locks: Locks,
    /// What is swept before the run; [`None`]: nothing.
    pub sweep: Option<SweepFirst>,
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
    let start = || events.send(clock.now(), EventKind::RunStarted { run: inputs.run.clone() });
    if inputs.admission.is_none() {
        start();
    }
    let sessions = tokio::select! {
        sessions = connect(&inputs) => sessions,
        () = control.cancel.cancelled() => Err(cancelled()),
    };
    let leave = match &sessions {
        Ok(sessions) => admit(&inputs, sessions, control).await,
        Err(fault) => Err(fault.clone()),
    };
    // Whoever waits for its turn has not begun.
    if inputs.admission.is_some() {
        start();
    }
    let (sessions, _leave) = match (sessions, leave) {
        (Ok(sessions), Ok(leave)) => (sessions, leave),
        (Err(fault), _) | (_, Err(fault)) => return ended(fault),
    };
    let facts = tokio::select! {
        facts = discover(&sessions, &inputs.request, &inputs.options.policy, clock.now()) => facts,
        () = control.cancel.cancelled() => return ended(cancelled()),
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(fault) => return ended(run_fault(fault)),
    };
    let identity = sessions.get(&Role::Primary).map(CloudIdentity::of).unwrap_or_default();
    let cloud = Cloud::new(sessions);
    let mut facts = facts;
    if let Some(first) = &inputs.sweep {
        let swept = sweep_first(&cloud, &inputs, first, control, clock.now());
        facts.warnings.extend(tokio::select! {
            swept = swept => swept,
            () = control.cancel.cancelled() => return ended(cancelled()),
        });
    }
    events.send(clock.now(), EventKind::Discovered { facts: Box::new(facts.clone()) });
    let cloud = cloud.knowing(&facts);
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
    let deadline = Deadline::after(plan.settings.run_timeout);
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
        suspension: control.suspension.clone(),
        paused: Suspension::default(),
        locks: inputs.locks,
        identity,
        kept: Mutex::default(),
    });
    tokio::select! {
        // First, so that no test of a run that is suspended already slips through.
        biased;
        () = follow_suspension(&run) => {}
        () = play_all(&run, inputs.carried_over) => {}
    }
    finish(&run, control, inputs.interrupted).await
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
        // First, so that a run that is cancelled with all others does not begin in the place of one of them.
        biased;
        () = control.cancel.cancelled() => Err(cancelled()),
        leave = admission.admit(&identity) => leave.map(Some),
    }
}

/// Plays all tests, at most so many at once; those that do not start are told of, too.
async fn play_all(run: &Arc<RunContext>, carried_over: Vec<TestResult>) {
    let places = Arc::new(Semaphore::new(run.plan.settings.max_parallel.max(1)));
    let failed = CancellationToken::new();
    let mut playing = JoinSet::new();
    for index in run.plan.playing_order() {
        let Some(test) = run.plan.tests.get(index) else { continue };
        if let Some(result) = carried_over.iter().find(|result| result.name == test.name) {
            run.tell(EventKind::TestCarriedOver { result: Box::new(result.clone()) });
            continue;
        }
        let (run, places, failed) = (Arc::clone(run), Arc::clone(&places), failed.clone());
        let playing_one = async move {
            let Some(test) = run.plan.tests.get(index) else { return };
            let scenario = match &test.decision {
                Decision::Play(scenario) => Arc::clone(scenario),
                Decision::Skip { reason, message } => {
                    return not_started(&run, test, Outcome::Skipped, *reason, message.clone());
                }
            };
            let _place = place(&run, &places).await;
            if let Some((outcome, reason, message)) = why_not(&run, &failed) {
                return not_started(&run, test, outcome, reason, message.to_owned());
            }
            let result = Box::pin(in_test(&test.name, play_tries(&run, test, &scenario))).await;
            let policy = &run.plan.settings.verdict;
            let bad = matches!(result.counts_as(policy), Verdict::Failed | Verdict::Errored);
            if bad && run.plan.settings.fail_fast {
                failed.cancel();
            }
        };
        playing.spawn(playing_one.in_current_span());
    }
    while let Some(end) = playing.join_next().await {
        if let Err(error) = end {
            tracing::error!(%error, "a test's task broke");
        }
    }
}

/// A place among those that play at once; nobody gets one while the run is suspended.
async fn place<'a>(run: &RunContext, places: &'a Semaphore) -> Option<SemaphorePermit<'a>> {
    loop {
        // The semaphore is never closed; without a permit the test is played all the same.
        let place = places.acquire().await.ok();
        if !run.paused.is_set() || run.cancel.is_cancelled() {
            return place;
        }
        drop(place);
        tokio::select! {
            () = run.paused.until(false) => {}
            () = run.cancel.cancelled() => {}
        }
    }
}

/// Why a test does not begin although it has its place.
fn why_not(run: &RunContext, failed: &CancellationToken) -> Option<(Outcome, Reason, &'static str)> {
    if run.cancel.is_cancelled() {
        let message = "the run was cancelled before this test started";
        return Some((Outcome::Cancelled, Reason::Cancelled, message));
    }
    if run.deadline.is_over() {
        let message = "the time allowed to the run ended before this test started";
        return Some((Outcome::TimedOut, Reason::RunTimedOut, message));
    }
    let message = "an earlier test failed, and the run stops at the first failure";
    failed.is_cancelled().then_some((Outcome::Skipped, Reason::FailFast, message))
}

fn not_started(run: &RunContext, test: &PlannedTest, outcome: Outcome, reason: Reason, message: String) {
    let result = TestResult {
        required: test.required,
        ..TestResult::not_started(&test.name, test.id.clone(), outcome, reason, message)
    };
    run.tell(EventKind::TestFinished { result: Box::new(result) });
}

/// What is still in the ledger is undone once more, then everything that carries the run's marks is looked for; what
/// is kept on purpose stays.
async fn finish(run: &RunContext, control: &Control, interrupted: Vec<String>) -> RunEnd {
    run.tell(EventKind::CleaningUp);
    let undoing = Undoing::of(run);
    let kept = run.kept();
    let own = run.plan.run.prefix();
    let mut open = run.ledger.open().await;
    open.retain(|entry| !kept.contains(&entry.test_prefix));
    let (of_tests, of_others): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|entry| carries(&entry.test_prefix, &own));
    // Each test has told its own leaks; here only what vanished meanwhile is struck out.
    let (mut known, mut leaked) = join!(undoing.undo_all(of_tests), undoing.undo_all(of_others));
    known.extend(leaked.iter().cloned());
    let marks = Marks { any: [vec![own], interrupted].concat(), none: kept };
    leaked.extend(audit::audit(&undoing, None, &marks, &known).await);
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

/// Whose cloud the run is to play in, as its primary's token tells.
pub async fn identify(inputs: &RunInputs) -> Result<CloudIdentity, RunFault> {
    let only = |(role, _): &(&Role, &CloudConfig)| **role == Role::Primary;
    let clouds = inputs.clouds.iter().filter(only).map(|(role, cloud)| (*role, cloud.clone())).collect();
    let sessions = connect(&RunInputs { clouds, ..inputs.clone() }).await?;
    Ok(sessions.get(&Role::Primary).map(CloudIdentity::of).unwrap_or_default())
}

/// Looks at the cloud without changing it.
pub async fn preflight(inputs: &RunInputs, clock: &Clock) -> Result<CloudFacts, RunFault> {
    let sessions = connect(inputs).await?;
    discover(&sessions, &inputs.request, &inputs.options.policy, clock.now()).await.map_err(run_fault)
}

/// Lets Heat validate every template of the scenarios that a plan plays, which makes nothing; gives the scenario, the
/// template and Heat's words for each that it refuses.
///
/// # Errors
/// When Heat cannot be asked.
pub async fn refused_templates(
    inputs: &RunInputs,
    plan: &RunPlan,
) -> Result<Vec<(String, String, String)>, RunFault> {
    let sessions = connect(inputs).await?;
    let Some(primary) = sessions.get(&Role::Primary) else { return Ok(Vec::new()) };
    let heat = primary.heat();
    let played = plan.tests.iter().filter_map(|test| match &test.decision {
        Decision::Play(scenario) => Some(scenario),
        Decision::Skip { .. } => None,
    });
    let templates = played.flat_map(|scenario| {
        scenario
            .templates
            .iter()
            .map(move |(name, text)| (scenario.name.as_str(), name.as_str(), text.as_str()))
    });
    let asked = stream::iter(templates).map(|(scenario, name, text)| {
        let heat = &heat;
        async move { (scenario, name, heat.validate_template(text, &serde_json::Map::new()).await) }
    });
    let mut refused = Vec::new();
    let mut answers = asked.buffered(VALIDATIONS);
    while let Some((scenario, name, answer)) = answers.next().await {
        match answer {
            Ok(_) => {}
            Err(Error::Api(error)) if error.status == 400 => {
                refused.push((scenario.to_owned(), name.to_owned(), error.message.clone()));
            }
            Err(error) => return Err(run_fault(fault_of(&error))),
        }
    }
    Ok(refused)
}

/// Undoes what an earlier process left in its ledger, then audits. What remains is returned.
pub async fn undo(inputs: &RunInputs, ledger: &Ledger, control: &Control) -> Result<Vec<Leak>, RunFault> {
    let cloud = Cloud::new(connect(inputs).await?);
    let undoing =
        Undoing { cloud: &cloud, ledger, rhythm: &inputs.rhythm, abandon: &control.abandon, scale: 1.0 };
    let mut leaked = undoing.undo_all(ledger.open().await).await;
    let marks = Marks::of(&ledger.run().await.prefix());
    leaked.extend(audit::audit(&undoing, None, &marks, &leaked).await);
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
    let left = remove(&cloud, inputs, found, control).await;
    known_to_be_all()?;
    Ok(left)
}

/// Sweeps before a run; gives what was removed or could not be, in words.
async fn sweep_first(
    cloud: &Cloud,
    inputs: &RunInputs,
    first: &SweepFirst,
    control: &Control,
    now: Timestamp,
) -> Vec<String> {
    let (mut found, unknown) = super::sweep::find(cloud, &inputs.run.installation, first.before(now)).await;
    found.retain(|found| !first.spares(found));
    let mut told: Vec<String> = unknown.into_iter().map(|fault| fault.message).collect();
    told.extend(remove(cloud, inputs, found, control).await.iter().map(super::sweep::in_words));
    told
}

/// Removes what was found.
async fn remove(
    cloud: &Cloud,
    inputs: &RunInputs,
    found: Vec<super::audit::Found>,
    control: &Control,
) -> Vec<Leak> {
    // Nothing new is made here, so nothing is written down.
    let ledger = Ledger::new(inputs.run.clone(), Box::new(super::ledger::Forgetful));
    let (rhythm, abandon) = (&inputs.rhythm, &control.abandon);
    let undoing = Undoing { cloud, ledger: &ledger, rhythm, abandon, scale: 1.0 };
    audit::remove(&undoing, found, &[]).await
}

fn cancelled() -> RunFault {
    run_fault(StepFault::cancelled())
}

fn run_fault(fault: StepFault) -> RunFault {
    RunFault { reason: fault.reason, message: fault.message, evidence: fault.evidence }
}
