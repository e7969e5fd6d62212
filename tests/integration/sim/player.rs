//! Plays scenarios against a simulated cloud.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use tempest_operator::api::tempest_run::{CloudSpec, TempestRunSpec};
use tempest_operator::openstack::{CaSource, CloudConfig, CloudsFile, EndpointPolicy, SessionOptions};
use tempest_operator::outcome::{Role, TestResult, Verdict};
use tempest_operator::plan::{self, RunIdentity, RunPlan};
use tempest_operator::report::RunReport;
use tempest_operator::runner::event::{Event, EventKind, EventSink};
use tempest_operator::runner::ledger::{Ledger, LedgerDocument, LedgerError, LedgerStore};
use tempest_operator::runner::{
    Clock, Control, Locks, Planner, Rhythm, RunInputs, SweepFirst, run_span, verify,
};
use tempest_operator::scenario::{Catalogue, Scenario, load_file_text};
use tempest_operator::simcloud::{Guests, SimCloud, SimOptions, shell};
use tracing::Instrument;
use uuid::Uuid;

pub const FIP_PORT: &str = "floating_ip_with_name_from_port_to_dns";
pub const FIP_OWN: &str = "floating_ip_with_own_name_to_dns";
pub const PORT: &str = "port_on_external_net_to_dns";
pub const ZONE: &str = "heat_zone_lifecycle";
pub const ALL: [&str; 4] = [FIP_PORT, FIP_OWN, PORT, ZONE];

/// A ledger's store that a test can look into, and that may break.
#[derive(Clone, Default)]
pub struct Kept {
    document: Arc<Mutex<Option<LedgerDocument>>>,
    breaks_at: Arc<Mutex<Option<&'static str>>>,
    full: bool,
}

impl Kept {
    /// Breaks once, like a bug, when this step writes down what it is about to make.
    pub fn breaking_at(step: &'static str) -> Self {
        Self { breaks_at: Arc::new(Mutex::new(Some(step))), ..Self::default() }
    }

    /// Takes nothing.
    pub fn full() -> Self {
        Self { full: true, ..Self::default() }
    }

    pub fn document(&self) -> Option<LedgerDocument> {
        self.document.lock().unwrap().clone()
    }
}

#[async_trait]
impl LedgerStore for Kept {
    async fn save(&self, document: &LedgerDocument) -> Result<(), LedgerError> {
        if self.full {
            return Err(LedgerError("no space left on device".into()));
        }
        let due = document.entries.last().map(|entry| entry.step.clone());
        let broken = self.breaks_at.lock().unwrap().take_if(|step| due.as_deref() == Some(*step));
        assert_eq!(broken, None, "the store broke");
        *self.document.lock().unwrap() = Some(document.clone());
        Ok(())
    }

    async fn clear(&self) -> Result<(), LedgerError> {
        *self.document.lock().unwrap() = None;
        Ok(())
    }
}

/// What a run told, and what it left.
pub struct Played {
    pub report: RunReport,
    pub events: Vec<Event>,
    pub kept: Kept,
}

impl Played {
    #[track_caller]
    pub fn test(&self, name: &str) -> &TestResult {
        let found = self.report.tests.iter().find(|test| test.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {:#?}", self.report))
    }

    #[track_caller]
    pub fn only(&self) -> &TestResult {
        let [test] = self.report.tests.as_slice() else { panic!("not one test: {:#?}", self.report) };
        test
    }

    #[track_caller]
    pub fn passed(&self) {
        assert_eq!(self.report.verdict, Some(Verdict::Passed), "{:#?}", self.report);
    }
}

/// How a run is started; everything may be changed before [`Player::play`].
pub struct Player {
    pub spec: TempestRunSpec,
    pub catalogue: Catalogue,
    pub arrange: Box<dyn FnOnce(&mut RunPlan) + Send>,
    pub clouds_yaml: String,
    pub options: SessionOptions,
    pub control: Control,
    pub on_event: Box<dyn FnMut(&Event) + Send>,
    pub run: RunIdentity,
    pub kept: Kept,
    pub carried_over: Vec<TestResult>,
    pub locks: Locks,
    pub sweep: Option<SweepFirst>,
    pub clock: Clock,
}

/// The built-in suite, read once.
pub fn suite() -> &'static Catalogue {
    static SUITE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());
    &SUITE
}

/// A simulated cloud without any latency, whose guests boot.
pub async fn cloud() -> SimCloud {
    cloud_with(SimOptions::default()).await
}

pub async fn cloud_with(options: SimOptions) -> SimCloud {
    tempest_operator::openstack::install_crypto_provider();
    let guests = Guests::Booted(Arc::new(shell));
    SimCloud::start(SimOptions { guests, ..options }).await.unwrap()
}

impl Player {
    /// A run of these built-in scenarios with all that this cloud offers and short deadlines.
    pub fn of(cloud: &SimCloud, include: &[&str]) -> Self {
        let mut spec = TempestRunSpec {
            cloud: CloudSpec { primary: Some("demo".to_owned()), ..CloudSpec::default() },
            ..TempestRunSpec::default()
        };
        cloud.zone_suffix().clone_into(&mut spec.cloud.zone_suffix);
        spec.cloud.published_network = Some("published".to_owned());
        spec.cloud.nameservers = cloud.name_servers().iter().map(ToString::to_string).collect();
        spec.scenarios.include = include.iter().map(|name| (*name).to_owned()).collect();
        // Deadlines of the documents are minutes; here a hundredth is plenty.
        spec.execution.timeout_scale_percent = Some(1);
        Self {
            spec,
            catalogue: suite().clone(),
            arrange: Box::new(|_| {}),
            clouds_yaml: cloud.clouds_yaml(),
            options: SessionOptions {
                policy: EndpointPolicy::allowing_loopback(),
                ..SessionOptions::default()
            },
            control: Control::default(),
            on_event: Box::new(|_| {}),
            run: RunIdentity::new("fast", Uuid::new_v4(), 1, Timestamp::now()),
            kept: Kept::default(),
            carried_over: Vec::new(),
            locks: Locks::default(),
            sweep: None,
            clock: Clock::system(),
        }
    }

    /// A run of these built-in scenarios with everything that a scenario may need, and the documents' own deadlines.
    pub fn with_everything(cloud: &SimCloud, include: &[&str]) -> Self {
        Self::of(cloud, include).patient(100).with_roles(&Role::ALL)
    }

    /// The same for one scenario, with the roles that it needs and no other.
    pub fn with_what_it_needs(cloud: &SimCloud, scenario: &Scenario) -> Self {
        let roles: Vec<_> = scenario.gates.credentials.iter().copied().collect();
        Self::of(cloud, &[&scenario.name]).patient(100).with_roles(&roles)
    }

    fn with_roles(mut self, roles: &[Role]) -> Self {
        let entry = |role, entry: &str| roles.contains(&role).then(|| entry.to_owned());
        self.spec.cloud.alternate = entry(Role::Alternate, "demo2");
        self.spec.cloud.admin = entry(Role::Admin, "admin");
        self.spec.cloud.reader = entry(Role::Reader, "reader");
        self
    }

    /// A run of a user's own scenarios.
    pub fn of_text(cloud: &SimCloud, document: &str) -> Self {
        let mut player = Self::of(cloud, &[]);
        player.catalogue = Catalogue::of(load_file_text("test.yaml", document).unwrap());
        player
    }

    /// Scales every step's deadline.
    pub fn patient(mut self, percent: u32) -> Self {
        self.spec.execution.timeout_scale_percent = Some(percent);
        self
    }

    pub fn inputs(&self) -> RunInputs {
        let names = CloudsFile::parse(&self.clouds_yaml, None).unwrap();
        let available: Vec<String> = names.names().into_iter().map(ToOwned::to_owned).collect();
        let request = plan::cloud_request(&self.spec.cloud, &available).unwrap();
        let clouds: BTreeMap<Role, CloudConfig> = request
            .entries
            .iter()
            .map(|(role, entry)| (*role, names.cloud(entry, CaSource::Inline(None)).unwrap()))
            .collect();
        RunInputs {
            run: self.run.clone(),
            clouds,
            request,
            options: self.options.clone(),
            rhythm: Rhythm::default(),
            admission: None,
            carried_over: self.carried_over.clone(),
            interrupted: Vec::new(),
            locks: self.locks.clone(),
            sweep: self.sweep.clone(),
        }
    }

    pub async fn play(self) -> Played {
        let inputs = self.inputs();
        let Self { spec, catalogue, arrange, control, mut on_event, run, kept, clock, .. } = self;
        let policy = plan::settings(&spec).verdict;
        let planner: Planner = {
            let run = run.clone();
            Box::new(move |facts| {
                let mut plan = plan::make(&spec, &catalogue, facts, run)?;
                arrange(&mut plan);
                Ok(plan)
            })
        };
        let ledger = Arc::new(Ledger::new(run, Box::new(kept.clone())));
        let (sink, mut receiver) = EventSink::channel();
        let span = run_span(Some("ci"), Some("nightly"), &inputs.run.run_id);
        let verifying = verify(inputs, planner, ledger, sink, control, clock);
        let playing = tokio::spawn(verifying.instrument(span));
        let mut report = RunReport::default();
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            on_event(&event);
            report.apply(&event, &policy);
            events.push(event);
        }
        playing.await.unwrap();
        assert!(
            matches!(events.last().unwrap().kind, EventKind::RunFinished { .. }),
            "the end is not the last"
        );
        Played { report, events, kept }
    }
}

/// Whether nothing of any test is left.
#[track_caller]
pub fn clean(cloud: &SimCloud) {
    let left = cloud.snapshot();
    assert!(left.is_clean(), "left behind: {left:#?}");
}
