//! The faults of the matrix: how each breaks the cloud, when it can show, and how it must be told.

use std::time::Duration;

use tempest_operator::outcome::Reason::{self, *};
use tempest_operator::simcloud::{Fault, NameServerMode, Scope, Service};

/// From when on the cloud is broken; always until the test cleans up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before anybody logs in.
    Before,
    /// From the first step on.
    Start,
    /// From the first step on that looks at DNS.
    FirstLook,
}

/// What the scenario must do for the fault to be able to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Make the cloud do what this fault breaks, by its name.
    Reaches(&'static str),
    /// Ask the name servers.
    AsksNameServers,
    /// Call this service.
    Calls(Service),
    /// Measure how long DNS takes.
    Measures,
    /// Make the cloud do what this fault breaks, and look at the field in which it shows.
    ReachesAndReads(&'static str, &'static str),
}

/// What must still look after the deed: a fault of the last thing that a scenario does is nobody's to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A `records` step.
    Dns,
    /// A step that reads anything.
    Any,
    /// Whatever step: it goes wrong itself.
    Step,
}

/// One fault of the matrix.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name in the matrix.
    pub name: &'static str,
    /// How the cloud is broken.
    pub fault: Fault,
    /// Within which limits.
    pub scope: Scope,
    /// From when on.
    pub from: Moment,
    /// When it can show.
    pub deed: Deed,
    /// To whom.
    pub look: Look,
    /// How it is told.
    pub reasons: &'static [Reason],
    /// The most that a change may take until all name servers serve it, in milliseconds; the run says so.
    pub allowed_ms: Option<u64>,
    /// Whether it may be told as leaked only.
    pub leaks: bool,
}

impl Row {
    fn of(fault: Fault, look: Look, reasons: &'static [Reason]) -> Self {
        let name = fault.name();
        let (scope, from, deed) = (Scope::default(), Moment::Start, Deed::Reaches(name));
        Self { name, fault, scope, from, deed, look, reasons, allowed_ms: None, leaks: false }
    }

    fn of_second_server(mode: NameServerMode, reasons: &'static [Reason]) -> Self {
        let row = Self::of(Fault::NameServer { index: 1, mode }, Look::Dns, reasons);
        Self { from: Moment::FirstLook, deed: Deed::AsksNameServers, ..row }
    }

    fn of_service(name: &'static str, service: Service) -> Self {
        let reasons = &[ServiceError, ExpectationNotMet, UnexpectedStatus, StackFailed, StackNotComplete];
        let scope = Scope { service: Some(service), ..Scope::default() };
        Self { name, scope, deed: Deed::Calls(service), ..Self::of(Fault::Answer(500), Look::Step, reasons) }
    }
}

/// All of them.
#[expect(clippy::too_many_lines, reason = "a row a fault")]
pub fn faults() -> Vec<Row> {
    use NameServerMode::{NotAuthoritative, Refused, ServFail, Silent, Stale, Stopped, TcpOnly, UdpOnly};
    const MISSING: &[Reason] = &[RecordMissing, ExpectationNotMet];
    const WRONG: &[Reason] = &[RecordWrong, ExpectationNotMet];
    // What is left behind is in the way of what comes next.
    const NOT_GONE: &[Reason] = &[
        RecordNotGone,
        RecordUnexpected,
        RecordWrong,
        RecordMissing,
        SerialNotAdvanced,
        ExpectationNotMet,
        StackFailed,
        ServiceError,
    ];
    // A change of records that Designate cannot bring to every name server keeps its stack waiting, too.
    const SILENT: &[Reason] = &[NameServerUnanswering, StackNotComplete];
    const OLD: &[Reason] =
        &[RecordMissing, RecordWrong, RecordNotGone, RecordUnexpected, SerialNotAdvanced, ExpectationNotMet];
    const STUCK: &[Reason] = &[StackNotComplete, StackFailed, ExpectationNotMet, RecordMissing];
    vec![
        // What Neutron publishes.
        Row::of(Fault::PublicationLost, Look::Dns, MISSING),
        Row::of(Fault::PublicationKept, Look::Dns, NOT_GONE),
        Row::of(
            Fault::PublicationUnasked,
            Look::Dns,
            &[RecordUnexpected, RecordWrong, RecordNotGone, ExpectationNotMet],
        ),
        Row::of(Fault::PtrOff, Look::Dns, MISSING),
        Row::of(Fault::PtrKept, Look::Dns, NOT_GONE),
        Row::of(Fault::PrivateAddress, Look::Dns, &[RecordWrong, ExpectationNotMet, StackFailed]),
        Row::of(Fault::PrivateAddressToo, Look::Dns, &[RecordWrong, ExpectationNotMet, StackFailed]),
        Row::of(Fault::StrayRecord, Look::Dns, &[RecordUnexpected, StackFailed]),
        Row::of(
            Fault::WrongZone,
            Look::Dns,
            &[RecordMissing, RecordWrong, RecordUnexpected, ExpectationNotMet],
        ),
        Row::of(Fault::ForeignZone, Look::Dns, &[RecordUnexpected, RecordNotGone, SerialNotAdvanced]),
        Row::of(Fault::RecordOverwritten, Look::Dns, WRONG),
        Row::of(Fault::RepublicationLost, Look::Dns, OLD),
        Row::of(Fault::NameDropped, Look::Any, &[RecordMissing, ExpectationNotMet, GuestAnswerWrong]),
        Row::of(Fault::NamesUnchecked, Look::Step, &[StackFailed, UnexpectedStatus]),
        Row {
            deed: Deed::ReachesAndReads("wrong-assignment", "dns_assignment"),
            ..Row::of(Fault::WrongAssignment, Look::Any, &[ExpectationNotMet])
        },
        Row::of(Fault::LeakyConflict, Look::Step, &[StackFailed, UnexpectedStatus]),
        // What the name servers are given.
        Row::of(Fault::LostAddress, Look::Dns, MISSING),
        Row::of(Fault::WrongAddress, Look::Dns, WRONG),
        Row::of(Fault::LostPtr, Look::Dns, MISSING),
        Row::of(Fault::WrongPtr, Look::Dns, WRONG),
        Row::of(Fault::DoublePtr, Look::Dns, WRONG),
        Row::of(Fault::WrongData, Look::Dns, WRONG),
        Row::of(Fault::WrongTtl, Look::Dns, WRONG),
        Row::of(Fault::RecordLeftBehind, Look::Dns, NOT_GONE),
        Row::of(Fault::LostOnChange, Look::Dns, MISSING),
        Row::of(Fault::SerialStuck, Look::Dns, &[SerialNotAdvanced, ExpectationNotMet]),
        Row::of(Fault::StaleSoa, Look::Dns, WRONG),
        Row::of(Fault::ActiveNotServed, Look::Dns, OLD),
        Row::of(Fault::TransferRefused, Look::Step, STUCK),
        Row::of(Fault::WorkerStopped, Look::Step, STUCK),
        Row::of(Fault::SlowPropagation(Duration::from_mins(20)), Look::Step, STUCK),
        Row {
            name: "slower-than-allowed",
            allowed_ms: Some(1000),
            deed: Deed::Measures,
            ..Row::of(Fault::SlowPropagation(Duration::from_secs(3)), Look::Dns, &[PropagationTooSlow])
        },
        // How name servers answer.
        Row::of_second_server(Stopped, SILENT),
        Row::of_second_server(Silent, SILENT),
        Row::of_second_server(ServFail, SILENT),
        Row::of_second_server(UdpOnly, SILENT),
        Row::of_second_server(TcpOnly, SILENT),
        Row::of_second_server(Refused, &[RecordMissing, StackNotComplete]),
        Row::of_second_server(NotAuthoritative, &[RecordMissing, RecordWrong, NameServerUnanswering]),
        Row {
            deed: Deed::Reaches("active-not-served"),
            ..Row::of_second_server(
                Stale,
                &[
                    RecordMissing,
                    RecordWrong,
                    RecordNotGone,
                    StackNotComplete,
                    StackFailed,
                    ExpectationNotMet,
                ],
            )
        },
        // What Designate lets happen.
        Row::of(Fault::TenantsMixed, Look::Step, &[UnexpectedStatus, ExpectationNotMet, RecordUnexpected]),
        Row::of(Fault::ReaderWrites, Look::Step, &[UnexpectedStatus]),
        // What Heat makes of it.
        Row::of(
            Fault::EmptyStack,
            Look::Any,
            &[ExpectationNotMet, RecordMissing, StackFailed, UnexpectedStatus, StackNotComplete],
        ),
        Row::of(Fault::UpdateIgnored, Look::Any, &[ExpectationNotMet, RecordMissing, RecordWrong]),
        Row {
            leaks: true,
            ..Row::of(Fault::RollbackIncomplete, Look::Step, &[ExpectationNotMet, RecordNotGone])
        },
        Row::of(Fault::DeleteStuck, Look::Step, &[StackNotComplete]),
        Row {
            leaks: true,
            ..Row::of(
                Fault::FloatingIpLeftBehind,
                Look::Step,
                &[RecordNotGone, ExpectationNotMet, StackFailed],
            )
        },
        // Servers.
        Row::of(Fault::ServerStuck, Look::Step, &[StackNotComplete, ExpectationNotMet]),
        Row::of(Fault::ServerError, Look::Step, &[StackFailed, ExpectationNotMet]),
        Row::of(Fault::PortUnnamed, Look::Any, &[RecordMissing, ExpectationNotMet]),
        Row::of(Fault::GuestMisled, Look::Any, &[GuestAnswerWrong]),
        // Services that are there and do not work.
        Row {
            from: Moment::Before,
            deed: Deed::Calls(Service::Dns),
            ..Row::of(
                Fault::WrongDnsEndpoint,
                Look::Step,
                &[ExpectationNotMet, ServiceError, UnexpectedStatus],
            )
        },
        Row::of_service("dns-down", Service::Dns),
        Row::of_service("network-down", Service::Network),
        Row::of_service("compute-down", Service::Compute),
        Row::of_service("orchestration-down", Service::Orchestration),
    ]
}

/// Cells that the rule calls applicable and in which the fault cannot show all the same: fault, scenario, why.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "guest-misled",
        "internal_dns_hostname",
        "the guest is asked for its own name only, and looks nothing up",
    ),
    (
        "tenants-mixed",
        "domain_keywords_fip_admin_delete",
        "an administrator's deletion finds the zone either way",
    ),
    (
        "serial-stuck",
        "fip_custom_ptr",
        "what changes is in the cloud's own reverse zone, whose serial other projects move as well",
    ),
    (
        "record-overwritten",
        "publishing_subnet_toggle",
        "the name is taken only by what this test left there itself, with the same data",
    ),
    (
        "serial-stuck",
        "preexisting_record_not_clobbered",
        "it proves that the serial stands still; what moves it is made before the first look",
    ),
    (
        "lost-on-change",
        "latency_publish_unpublish",
        "after the one change of a repetition its record is withdrawn anyway",
    ),
    (
        "lost-on-change",
        "heat_recordset_lifecycle",
        "all its records change in one step and go in one; what a change loses is changed or going itself",
    ),
    ("tenants-mixed", "latency_publish_unpublish", "it acts as one project only"),
    ("name-dropped", "name_in_child_zone", "the name is refused, and what comes of it is a finding"),
    ("update-ignored", "stack_update_fip_rename", "whether Heat ignores the update is what it reports"),
    (
        "port-unnamed",
        "server_port_name_mismatch",
        "the port is named by hand; that Heat's second server names it is a finding",
    ),
    ("tenants-mixed", "fip_admin_delete", "an administrator's deletion finds the zone either way"),
];
