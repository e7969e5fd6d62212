//! A scenario that has been checked completely: what the engine plays.
//!
//! Nothing here is optional that playing needs, and every expression is already compiled. The wire form is in
//! [`crate::api::scenario`]; the only way from there to here is the checker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::expression::{Condition, Template};
use super::{Exclusive, Feature, HttpMethod, NeededFact, RecordType, ServiceType, Thresholds};
use crate::outcome::Role;

/// A scenario ready to be played.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: that of its folder for the built-in suite, `user/NAME` for a user's own.
    pub name: String,
    /// Its stable id.
    pub id: Option<String>,
    /// What it proves, in one line.
    pub title: String,
    /// What it proves, at length.
    pub description: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Which upstream tests or documented use cases it covers.
    pub source: Vec<String>,
    /// What the cloud must declare.
    pub gates: Gates,
    /// Where no other test may be played beside it.
    pub exclusive: Option<Exclusive>,
    /// Names that only one test at a time may hold in a cloud.
    pub locks: BTreeSet<String>,
    /// How often it is played within one test.
    pub repeat: Option<Repeat>,
    /// How long DNS may take to be true.
    pub thresholds: Thresholds,
    /// Named values, in the order in which they are evaluated.
    pub variables: Vec<(String, Template)>,
    /// HOT templates by name, as they are sent to Heat.
    pub templates: BTreeMap<String, String>,
    /// What is done and checked, in order.
    pub steps: Vec<Step>,
}

/// Everything a scenario needs of a cloud, gathered from `needs`, the templates and the steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Services in the catalogue.
    pub services: BTreeSet<ServiceType>,
    /// Aliases of Neutron extensions.
    pub extensions: BTreeSet<String>,
    /// Heat resource types.
    pub resource_types: BTreeSet<String>,
    /// Facts given or discovered.
    pub facts: BTreeSet<NeededFact>,
    /// Credentials.
    pub credentials: BTreeSet<Role>,
    /// Features that the owner may have declared as not offered.
    pub features: BTreeSet<Feature>,
    /// Why it may not be played at all, when whoever selected it may not let it act as it wants to.
    pub closed: Option<String>,
}

/// A scenario played several times within one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// How often.
    pub count: u32,
    /// How many at the same time.
    pub concurrency: usize,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Unique within the scenario.
    pub name: String,
    /// As whom.
    pub role: Role,
    /// Left out when false.
    pub when: Option<Condition>,
    /// Played once for each item.
    pub for_each: Option<Template>,
    /// Its deadline, before the run's scale is applied.
    pub within: Duration,
    /// Neighbours of one group run together.
    pub group: Option<String>,
    /// A failed check is a finding.
    pub report: bool,
    /// What it does.
    pub action: Action,
}

/// The six kinds of steps.
#[derive(Clone, Debug)]
pub enum Action {
    /// A Heat stack.
    Stack(StackAction),
    /// One REST call.
    Request(RequestAction),
    /// Polled assertions.
    Expect(ExpectAction),
    /// The DNS truth.
    Records(RecordsAction),
    /// A look-up inside a guest.
    Guest(GuestAction),
    /// Takes back what the named step did.
    Undo {
        /// The step.
        step: String,
    },
}

impl Action {
    /// The kind's word in the document.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Stack(_) => "stack",
            Self::Request(_) => "request",
            Self::Expect(_) => "expect",
            Self::Records(_) => "records",
            Self::Guest(_) => "guest",
            Self::Undo { .. } => "undo",
        }
    }
}

/// What is done to a stack, and the state that is awaited.
#[derive(Clone, Debug)]
pub struct StackAction {
    /// The stack's name within the scenario.
    pub name: String,
    /// What is done.
    pub change: StackChange,
    /// The wanted final state; [`None`] for a delete: gone.
    pub until: Option<StackState>,
    /// Whether this step waits for it.
    pub wait: bool,
}

/// What is done to a stack.
#[derive(Clone, Debug)]
pub enum StackChange {
    /// Created from a template of the document.
    Create {
        /// Key in [`Scenario::templates`].
        template: String,
        /// HOT parameters: an object.
        parameters: Template,
        /// Heat's `disable_rollback`.
        disable_rollback: bool,
    },
    /// Updated; parameters are laid over the last ones.
    Update {
        /// Another template, or the last one.
        template: Option<String>,
        /// HOT parameters: an object.
        parameters: Template,
        /// Heat's `disable_rollback`.
        disable_rollback: bool,
    },
    /// Deleted.
    Delete,
    /// Nothing: an earlier step started it.
    Await,
}

/// A final stack state such as `CREATE_COMPLETE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackState {
    /// `CREATE`, `UPDATE`, `ROLLBACK`, …
    pub action: String,
    /// `true` for `COMPLETE`, `false` for `FAILED`.
    pub complete: bool,
}

/// One REST call.
#[derive(Clone, Debug)]
pub struct RequestAction {
    /// Which service.
    pub service: ServiceType,
    /// The method.
    pub method: HttpMethod,
    /// Path below the service's versioned root; evaluates to a string.
    pub path: Template,
    /// JSON body.
    pub body: Option<Template>,
    /// Wanted statuses; empty: any 2xx.
    pub expect_status: Vec<u16>,
    /// All must hold.
    pub that: Vec<Condition>,
    /// Values kept from the answer.
    pub capture: Vec<(String, Template)>,
    /// How it is taken back.
    pub undo: RequestUndo,
}

/// How a request is taken back.
#[derive(Clone, Debug)]
pub enum RequestUndo {
    /// It made a stack, whose name is in the body.
    MadeStack {
        /// The stack's name: carries the test's prefix.
        name: Template,
    },
    /// It made an item of a collection.
    Made {
        /// The collection's path; the list in its answer has the last segment's name.
        collection: Template,
        /// The field that carries the test's prefix.
        marked_by: String,
    },
    /// Another request sets the value back.
    Restore {
        /// Its method.
        method: HttpMethod,
        /// Its path.
        path: Template,
        /// Its body.
        body: Option<Template>,
    },
    /// Nothing is left to take back.
    Nothing,
}

/// Polled assertions.
#[derive(Clone, Debug)]
pub struct ExpectAction {
    /// Which service.
    pub service: ServiceType,
    /// Path below the service's versioned root, query included.
    pub path: Template,
    /// Key of a list whose pages are joined.
    pub pages: Option<String>,
    /// All must hold.
    pub that: Vec<Condition>,
    /// For this whole period instead of once.
    pub holds: Option<Duration>,
    /// Values kept from the answer that held.
    pub capture: Vec<(String, Template)>,
}

/// The DNS truth.
#[derive(Clone, Debug)]
pub struct RecordsAction {
    /// The zone's name.
    pub zone: Template,
    /// Must be there.
    pub present: Vec<Record>,
    /// Must be gone.
    pub absent: Vec<RecordName>,
    /// Must not appear.
    pub never: Vec<RecordName>,
    /// How long `never` is watched.
    pub hold: Duration,
    /// The zone holds nothing else.
    pub only: bool,
    /// The serial must have advanced since it was last noted.
    pub serial_advanced: bool,
    /// Answers for `present` must be whole over UDP.
    pub whole_over_udp: bool,
    /// The zone that proves a server alive; [`None`]: `zone`.
    pub control: Option<Template>,
}

/// A record set that must be there.
#[derive(Clone, Debug)]
pub struct Record {
    /// Owner name.
    pub name: Template,
    /// Type.
    pub record_type: RecordType,
    /// A list of data, or one datum.
    pub data: Template,
    /// TTL in seconds.
    pub ttl: Option<Template>,
    /// Left out when false.
    pub when: Option<Condition>,
}

/// A record set that must not be there.
#[derive(Clone, Debug)]
pub struct RecordName {
    /// Owner name.
    pub name: Template,
    /// Type.
    pub record_type: RecordType,
    /// Left out when false.
    pub when: Option<Condition>,
}

/// A look-up inside a guest.
#[derive(Clone, Debug)]
pub struct GuestAction {
    /// The server's id.
    pub server: Template,
    /// The marker that the boot script prints first.
    pub booted: Template,
    /// The marker at the beginning of the line with the result.
    pub result: Template,
    /// What must follow it.
    pub equals: Template,
    /// How long the guest may take to boot.
    pub boot_within: Duration,
}
