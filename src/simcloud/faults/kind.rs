//! The ways to break the simulated cloud.

use std::time::Duration;

/// How a name server misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameServerMode {
    /// Not running: UDP is lost, TCP connections are closed at once, transfers fail.
    Stopped,
    /// Takes questions and never answers.
    Silent,
    /// Answers SERVFAIL.
    ServFail,
    /// Answers REFUSED, as if it hosted nothing.
    Refused,
    /// Answers rightly but without the AA bit.
    NotAuthoritative,
    /// Takes no more transfers: what it has gets old.
    Stale,
    /// Does not answer over TCP.
    UdpOnly,
    /// Does not answer over UDP.
    TcpOnly,
    /// Sets TC on every UDP answer and leaves out the records.
    Truncating,
}

/// A way to break the cloud.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Neutron publishes no reverse records.
    PtrOff,
    /// Neutron publishes nothing at all, and says nothing.
    PublicationLost,
    /// Neutron leaves its records behind when a port or floating IP goes away.
    PublicationKept,
    /// Neutron publishes every address of every named port, whatever its network and subnets say.
    PublicationUnasked,
    /// The name servers are not given A and AAAA records.
    LostAddress,
    /// The name servers are given another address.
    WrongAddress,
    /// The name servers are given another TTL.
    WrongTtl,
    /// The name servers keep records that Designate deleted.
    RecordLeftBehind,
    /// Changes reach the name servers without a new serial.
    SerialStuck,
    /// One name server misbehaves.
    NameServer {
        /// Which one, counted from 0.
        index: usize,
        /// How.
        mode: NameServerMode,
    },
    /// No name server is given any zone.
    TransferRefused,
    /// Designate's worker stands still: everything stays PENDING.
    WorkerStopped,
    /// Records reach the name servers this much later.
    SlowPropagation(Duration),
    /// The catalogue points to a wrong place for DNS.
    WrongDnsEndpoint,
    /// Heat completes resources without making them.
    EmptyStack,
    /// A floating IP that Heat deletes stays.
    FloatingIpLeftBehind,
    /// Servers never leave BUILD.
    ServerStuck,
    /// Servers end in ERROR, as without a valid host.
    ServerError,
    /// The name servers are not given PTR records.
    LostPtr,
    /// The name servers are given another target of PTR records.
    WrongPtr,
    /// The name servers are given a second PTR record besides the right one.
    DoublePtr,
    /// The name servers are given other data of records that are neither addresses nor PTR.
    WrongData,
    /// A change of a zone loses what is in it already and does not change.
    LostOnChange,
    /// Changes of zones that are served already are called ACTIVE and never reach the name servers.
    ActiveNotServed,
    /// The SOA at the name servers keeps its data, the serial aside.
    StaleSoa,
    /// Neutron leaves its reverse record behind when it takes a name back.
    PtrKept,
    /// Neutron publishes the fixed address of a floating IP's port instead of the floating one.
    PrivateAddress,
    /// Neutron publishes the fixed address of a floating IP's port besides the floating one.
    PrivateAddressToo,
    /// Neutron publishes a record more than it should, under a name of its own making.
    StrayRecord,
    /// Neutron publishes in another zone of the project, or nowhere when there is none.
    WrongZone,
    /// Neutron publishes in zones of other projects.
    ForeignZone,
    /// Neutron overwrites a record that has the name already.
    RecordOverwritten,
    /// Neutron publishes what is new, and forgets about changes of names, addresses and associations.
    RepublicationLost,
    /// Neutron drops `dns_name` without a word.
    NameDropped,
    /// Neutron takes any name.
    NamesUnchecked,
    /// Neutron computes `dns_assignment` with another host name.
    WrongAssignment,
    /// Neutron makes a floating IP and answers that it could not.
    LeakyConflict,
    /// Designate ignores its quotas.
    QuotaIgnored,
    /// Designate lets everybody see and change everybody's zones.
    TenantsMixed,
    /// Readers may write.
    ReaderWrites,
    /// Heat completes updates of resources without making them.
    UpdateIgnored,
    /// Heat's rollback leaves behind what the failed action made.
    RollbackIncomplete,
    /// Heat never ends the deletion of a stack.
    DeleteStuck,
    /// Nova does not give its ports their server's name.
    PortUnnamed,
    /// The DNS inside of networks answers guests with another address.
    GuestMisled,
    /// The service answers this status.
    Answer(u16),
    /// The service answers this status, and with everything that it was sent.
    Echo(u16),
    /// The service takes the request and never answers.
    Hang,
    /// The connection is reset.
    Reset,
    /// The change is made, then the connection is reset: the answer is lost.
    AnswerLost,
    /// Something before the service sends the caller to another address.
    Redirect(String),
    /// Something before the service answers this status with a page of HTML.
    HtmlPage(u16),
    /// The change is made, then the connection breaks in the middle of the answer.
    HalfBody,
    /// The change is made, and the answer has 50 MiB.
    HugeBody,
    /// The change is made, and the answer is said to be plain text.
    WrongContentType,
    /// Tokens are accepted for this long only, whatever they say.
    TokenLifetime(Duration),
    /// Nobody is let in.
    Unauthorized,
}

impl Fault {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PtrOff => "ptr-off",
            Self::PublicationLost => "publication-lost",
            Self::PublicationKept => "publication-kept",
            Self::PublicationUnasked => "publication-unasked",
            Self::LostAddress => "lost-address",
            Self::WrongAddress => "wrong-address",
            Self::WrongTtl => "wrong-ttl",
            Self::RecordLeftBehind => "record-left-behind",
            Self::SerialStuck => "serial-stuck",
            Self::NameServer { mode, .. } => match mode {
                NameServerMode::Stopped => "name-server-stopped",
                NameServerMode::Silent => "name-server-silent",
                NameServerMode::ServFail => "name-server-servfail",
                NameServerMode::Refused => "name-server-refused",
                NameServerMode::NotAuthoritative => "name-server-not-authoritative",
                NameServerMode::Stale => "name-server-stale",
                NameServerMode::UdpOnly => "name-server-udp-only",
                NameServerMode::TcpOnly => "name-server-tcp-only",
                NameServerMode::Truncating => "name-server-truncating",
            },
            Self::TransferRefused => "transfer-refused",
            Self::WorkerStopped => "worker-stopped",
            Self::SlowPropagation(_) => "slow-propagation",
            Self::WrongDnsEndpoint => "wrong-dns-endpoint",
            Self::EmptyStack => "empty-stack",
            Self::FloatingIpLeftBehind => "floating-ip-left-behind",
            Self::ServerStuck => "server-stuck",
            Self::ServerError => "server-error",
            Self::LostPtr => "lost-ptr",
            Self::WrongPtr => "wrong-ptr",
            Self::DoublePtr => "double-ptr",
            Self::WrongData => "wrong-data",
            Self::LostOnChange => "lost-on-change",
            Self::ActiveNotServed => "active-not-served",
            Self::StaleSoa => "stale-soa",
            Self::PtrKept => "ptr-kept",
            Self::PrivateAddress => "private-address",
            Self::PrivateAddressToo => "private-address-too",
            Self::StrayRecord => "stray-record",
            Self::WrongZone => "wrong-zone",
            Self::ForeignZone => "foreign-zone",
            Self::RecordOverwritten => "record-overwritten",
            Self::RepublicationLost => "republication-lost",
            Self::NameDropped => "name-dropped",
            Self::NamesUnchecked => "names-unchecked",
            Self::WrongAssignment => "wrong-assignment",
            Self::LeakyConflict => "leaky-conflict",
            Self::QuotaIgnored => "quota-ignored",
            Self::TenantsMixed => "tenants-mixed",
            Self::ReaderWrites => "reader-writes",
            Self::UpdateIgnored => "update-ignored",
            Self::RollbackIncomplete => "rollback-incomplete",
            Self::DeleteStuck => "delete-stuck",
            Self::PortUnnamed => "port-unnamed",
            Self::GuestMisled => "guest-misled",
            Self::Answer(_) => "answer",
            Self::Echo(_) => "echo",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::AnswerLost => "answer-lost",
            Self::Redirect(_) => "redirect",
            Self::HtmlPage(_) => "html-page",
            Self::HalfBody => "half-body",
            Self::HugeBody => "huge-body",
            Self::WrongContentType => "wrong-content-type",
            Self::TokenLifetime(_) => "token-lifetime",
            Self::Unauthorized => "unauthorized",
        }
    }

    /// A fault by its name, with usual values where it has any; name server faults hit the second one.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|fault| fault.name() == name)
    }

    /// One of each, with usual values.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::PtrOff,
            Self::PublicationLost,
            Self::PublicationKept,
            Self::PublicationUnasked,
            Self::LostAddress,
            Self::WrongAddress,
            Self::WrongTtl,
            Self::RecordLeftBehind,
            Self::SerialStuck,
            Self::TransferRefused,
            Self::WorkerStopped,
            Self::SlowPropagation(Duration::from_secs(30)),
            Self::WrongDnsEndpoint,
            Self::EmptyStack,
            Self::FloatingIpLeftBehind,
            Self::ServerStuck,
            Self::ServerError,
            Self::LostPtr,
            Self::WrongPtr,
            Self::DoublePtr,
            Self::WrongData,
            Self::LostOnChange,
            Self::ActiveNotServed,
            Self::StaleSoa,
            Self::PtrKept,
            Self::PrivateAddress,
            Self::PrivateAddressToo,
            Self::StrayRecord,
            Self::WrongZone,
            Self::ForeignZone,
            Self::RecordOverwritten,
            Self::RepublicationLost,
            Self::NameDropped,
            Self::NamesUnchecked,
            Self::WrongAssignment,
            Self::LeakyConflict,
            Self::QuotaIgnored,
            Self::TenantsMixed,
            Self::ReaderWrites,
            Self::UpdateIgnored,
            Self::RollbackIncomplete,
            Self::DeleteStuck,
            Self::PortUnnamed,
            Self::GuestMisled,
            Self::Answer(503),
            Self::Echo(500),
            Self::Hang,
            Self::Reset,
            Self::AnswerLost,
            Self::Redirect("http://169.254.169.254/".to_owned()),
            Self::HtmlPage(200),
            Self::HalfBody,
            Self::HugeBody,
            Self::WrongContentType,
            Self::TokenLifetime(Duration::from_secs(5)),
            Self::Unauthorized,
        ];
        all.extend(
            [
                NameServerMode::Stopped,
                NameServerMode::Silent,
                NameServerMode::ServFail,
                NameServerMode::Refused,
                NameServerMode::NotAuthoritative,
                NameServerMode::Stale,
                NameServerMode::UdpOnly,
                NameServerMode::TcpOnly,
                NameServerMode::Truncating,
            ]
            .map(|mode| Self::NameServer { index: 1, mode }),
        );
        all
    }
}
