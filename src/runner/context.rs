//! What a run, a test and a step share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::CloudIdentity;
use super::clock::Clock;
use super::cloud::Cloud;
use super::control::Suspension;
use super::deadline::Deadline;
use super::event::{EventKind, EventSink};
use super::fault::StepFault;
use super::ledger::Ledger;
use super::locks::Locks;
use super::poll::{Observation, Wait, poll};
use super::rhythm::Rhythm;
use crate::dns::Serial;
use crate::openstack::Session;
use crate::outcome::{Finding, Propagation, Reason, Role, SkippedStep, StepResult};
use crate::plan::facts::Choice;
use crate::plan::{PlannedTest, RunPlan};
use crate::scenario::Scenario;
use crate::scenario::document::Step;
use crate::scenario::expression::{Condition, ExpressionError, Judgement, Scope, Template};

/// Between two looks at something that must hold the whole time.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// What all tests of a run share.
pub struct RunContext {
    /// What is played.
    pub plan: RunPlan,
    /// The cloud it is played against.
    pub cloud: Cloud,
    /// What is to be undone.
    pub ledger: Arc<Ledger>,
    /// Hears what happens.
    pub events: EventSink,
    /// Tells the time of day.
    pub clock: Clock,
    /// How long things take in this cloud.
    pub rhythm: Rhythm,
    /// Stops playing; what was made is still undone.
    pub cancel: CancellationToken,
    /// Stops undoing, too.
    pub abandon: CancellationToken,
    /// The run's end.
    pub deadline: Deadline,
    /// What its owner wants.
    pub suspension: Suspension,
    /// Whether no new test begins; follows what the owner wants once the deadline has moved.
    pub paused: Suspension,
    /// The locks of this process.
    pub locks: Locks,
    /// Whose cloud it is.
    pub identity: CloudIdentity,
    /// The prefixes of what is kept for a look at it.
    pub kept: Mutex<Vec<String>>,
}

impl RunContext {
    /// Notes that what carries this prefix is kept.
    pub fn keep(&self, prefix: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(prefix.to_owned());
    }

    /// The prefixes of what is kept.
    pub fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells what happens.
    pub fn tell(&self, kind: EventKind) {
        self.events.send(self.clock.now(), kind);
    }
}

/// One test being played.
pub struct TestContext<'a> {
    /// The run.
    pub run: &'a RunContext,
    /// The plan's entry.
    pub test: &'a PlannedTest,
    /// The document.
    pub scenario: &'a Scenario,
    /// When it began; its repetitions share that.
    pub started: Instant,
    /// Which of its repetitions this is, when it has several.
    pub repetition: Option<u32>,
    state: Mutex<TestState>,
}

/// What is wanted of a record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// There, with exactly this data.
    Present {
        /// Presentation format.
        data: Vec<String>,
        /// Seconds.
        ttl: Option<u32>,
    },
    /// Gone.
    Absent,
    /// Never there.
    Never,
}

/// What a test has learned so far.
#[derive(Default)]
pub struct TestState {
    /// What expressions see.
    pub scope: Scope,
    /// Stacks by their name in the document.
    pub stacks: BTreeMap<String, StackHandle>,
    /// Serials of zones when they were noted last.
    pub serials: BTreeMap<String, Serial>,
    /// What `records` steps saw last, by question.
    pub dns: BTreeMap<String, Want>,
    /// When the last change was accepted by the cloud (`t0`).
    pub changed: Option<Instant>,
    /// Ledger numbers by the step that wrote them.
    pub entries: BTreeMap<String, Vec<u64>>,
    /// For the result.
    pub propagation: Vec<Propagation>,
    /// For the result.
    pub findings: Vec<Finding>,
    /// For the result.
    pub skipped: Vec<SkippedStep>,
    /// For the result.
    pub steps: Vec<StepResult>,
}

/// A stack that a test made.
#[derive(Clone, Debug)]
pub struct StackHandle {
    /// Its unique name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The last template's key.
    pub template: String,
    /// The last parameters.
    pub parameters: serde_json::Map<String, Value>,
    /// Its entry in the ledger.
    pub entry: u64,
    /// What was done to it last: `CREATE`, `UPDATE` or `DELETE`.
    pub action: &'static str,
}

impl<'a> TestContext<'a> {
    /// A test about to be played; its values are set up, its variables not yet.
    pub fn new(
        run: &'a RunContext,
        test: &'a PlannedTest,
        scenario: &'a Scenario,
        started: Instant,
        repetition: Option<u32>,
    ) -> Self {
        let state = TestState { scope: first_scope(run, test, scenario), ..TestState::default() };
        Self { run, test, scenario, started, repetition, state: Mutex::new(state) }
    }

    /// What the test has learned; held only for a moment, never across an await.
    pub fn state(&self) -> MutexGuard<'_, TestState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its end: its own time, as long as the run's allows.
    pub fn deadline(&self) -> Instant {
        (self.started + self.run.plan.settings.test_timeout).min(self.run.deadline.get())
    }

    /// Notes that the cloud has just accepted a change.
    pub fn changed_now(&self) {
        self.state().changed = Some(Instant::now());
    }
}

/// `run`, `test`, `facts` and `templates`: what expressions see from the beginning.
fn first_scope(run: &RunContext, test: &PlannedTest, scenario: &Scenario) -> Scope {
    let (identity, facts) = (&run.plan.run, &run.plan.facts);
    let id = |choice: &Choice| choice.id.clone().map_or(Value::Null, Value::String);
    let mut all = json!({
        "region": facts.region,
        "image": id(&facts.image),
        "flavor": id(&facts.flavor),
        "floatingNetwork": id(&facts.floating_network),
        "publishedNetwork": id(&facts.published_network),
        "nameServers": facts.name_servers.iter().map(|server| server.label.clone()).collect::<Vec<_>>(),
        "ptr": run.plan.settings.ptr_offered,
        "floatingIpDns": run.plan.settings.floating_ip_dns_offered,
        "guest": run.plan.settings.guest_offered,
    });
    for role in Role::ALL {
        let identity = facts.identities.get(&role).map_or(Value::Null, |identity| {
            json!({
                "projectId": identity.project_id,
                "projectName": identity.project_name,
                "userId": identity.user_id,
                "userName": identity.user_name,
            })
        });
        all[role.as_str()] = identity;
    }
    let mut scope = Scope::default();
    scope.set("run", json!({ "id": identity.run_id, "zoneSuffix": run.plan.zone_suffix }));
    scope.set("test", json!({ "prefix": test.prefix, "description": identity.description(&test.prefix) }));
    scope.set("facts", all);
    scope.set("templates", json!(scenario.templates));
    for name in ["vars", "stacks", "captures"] {
        scope.set(name, json!({}));
    }
    scope
}

/// One step being played, perhaps for one item of its `forEach`.
pub struct StepContext<'a> {
    /// The test.
    pub test: &'a TestContext<'a>,
    /// The document's step.
    pub step: &'a Step,
    /// Its name, with the numbers of the item and of the repetition where there are some.
    pub label: String,
    /// The item.
    pub item: Option<Value>,
    /// Its end.
    pub deadline: Instant,
    /// What it is called by the rhythm: the same in all repetitions.
    rhythm_key: String,
    polls: AtomicU32,
}

impl<'a> StepContext<'a> {
    /// A step about to be played.
    pub fn new(test: &'a TestContext<'a>, step: &'a Step, item: Option<(usize, Value)>) -> Self {
        let deadline = Instant::now() + test.scaled(step.within);
        let (name, item) = match item {
            Some((index, item)) => (format!("{}[{index}]", step.name), Some(item)),
            None => (step.name.clone(), None),
        };
        let rhythm_key = format!("{}/{name}", test.test.name);
        let label = test.repetition.map_or_else(|| name.clone(), |number| format!("{name} #{number}"));
        Self { test, step, label, item, deadline, rhythm_key, polls: AtomicU32::new(0) }
    }

    /// The run.
    pub fn run(&self) -> &'a RunContext {
        self.test.run
    }

    /// The session of the step's role.
    pub fn session(&self) -> Result<&'a Session, StepFault> {
        self.run().cloud.session(self.step.role)
    }

    /// How often the cloud was asked so far.
    pub fn polls(&self) -> u32 {
        self.polls.load(Ordering::Relaxed)
    }

    /// Everything that expressions of this step see.
    pub fn scope(&self) -> Scope {
        let mut scope = self.test.state().scope.clone();
        if let Some(item) = &self.item {
            scope.set("item", item.clone());
        }
        scope
    }

    /// A template's value.
    pub fn value(&self, template: &Template) -> Result<Value, StepFault> {
        template.evaluate(&self.scope()).map_err(|error| expression_fault(&error))
    }

    /// A template's value as text.
    pub fn text(&self, template: &Template) -> Result<String, StepFault> {
        template.evaluate_string(&self.scope()).map_err(|error| expression_fault(&error))
    }

    /// Whether a condition holds.
    pub fn holds(&self, condition: &Condition) -> Result<bool, StepFault> {
        judge(condition, &self.scope()).map(|judgement| judgement.holds)
    }

    /// Waits with the one poller until something becomes true. `general` names the kind of wait.
    pub async fn poll<'b, T>(
        &self,
        general: &str,
        deadline: Instant,
        observe: impl FnMut() -> BoxFuture<'b, Observation<T>> + Send,
    ) -> Result<T, StepFault> {
        self.wait(general, deadline, None, observe).await
    }

    /// Watches with the one poller, every two seconds, until `end`.
    pub async fn watch<'b, T>(
        &self,
        end: Instant,
        observe: impl FnMut() -> BoxFuture<'b, Observation<T>> + Send,
    ) -> Result<T, StepFault> {
        self.wait("watch", end, Some(WATCH_INTERVAL), observe).await
    }

    async fn wait<'b, T>(
        &self,
        general: &str,
        deadline: Instant,
        every: Option<Duration>,
        observe: impl FnMut() -> BoxFuture<'b, Observation<T>> + Send,
    ) -> Result<T, StepFault> {
        let key = format!("{}/{general}", self.rhythm_key);
        let on_change = |seen: &str| {
            tracing::debug!(seen, "waiting");
            self.run().tell(EventKind::StepWaiting {
                test: self.test.test.name.clone(),
                step: self.label.clone(),
                seen: crate::outcome::shorten(seen, 200),
            });
        };
        let wait = Wait {
            rhythm: &self.run().rhythm,
            key: &key,
            general,
            every,
            deadline,
            test_deadline: self.test.deadline(),
            cancel: &self.run().cancel,
            on_change: &on_change,
        };
        let (end, polls) = poll(&wait, observe).await;
        self.polls.fetch_add(polls, Ordering::Relaxed);
        end
    }
}

impl TestContext<'_> {
    /// A duration of the document, lengthened or shortened as the run's owner wants.
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.run.plan.settings.timeout_scale)
    }
}

/// What a condition says; an expression that cannot be evaluated is a fault.
pub fn judge(condition: &Condition, scope: &Scope) -> Result<Judgement, StepFault> {
    condition.judge(scope).map_err(|error| expression_fault(&error))
}

/// An expression could not be evaluated with what the cloud answered.
pub fn expression_fault(error: &ExpressionError) -> StepFault {
    StepFault::errored(Reason::ExpressionFailed, error.to_string())
}
