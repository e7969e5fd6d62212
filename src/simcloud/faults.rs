//! What can be broken in the simulated cloud, switched on and off while it runs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::wire::Service;

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

/// What a fault is limited to; the default is everything, always.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Calls to this service only.
    pub service: Option<Service>,
    /// Calls with this method only.
    pub method: Option<http::Method>,
    /// Calls with this in their path (with its service prefix) only.
    pub path: Option<String>,
    /// Records, or resource types, with this in their name only.
    pub name: Option<String>,
    /// The first so many matches are let through.
    pub skip: u32,
    /// Only so many matches are hit.
    pub times: Option<u32>,
    /// Hit with this chance, in percent.
    pub percent: Option<u32>,
}

/// Names one injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

#[derive(Debug)]
struct Injected {
    id: FaultId,
    fault: Fault,
    scope: Scope,
}

#[derive(Debug, Default)]
struct Board {
    injected: Vec<Injected>,
    next: u64,
    generation: u64,
    chance: u64,
}

/// The switchboard of faults; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    board: Arc<Mutex<Board>>,
    changed: Arc<Notify>,
}

/// What a fault is matched against: a call or a named thing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target<'a> {
    pub(crate) service: Option<Service>,
    pub(crate) method: Option<&'a http::Method>,
    pub(crate) path: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
}

impl<'a> Target<'a> {
    pub(crate) fn named(name: &'a str) -> Self {
        Self { name: Some(name), ..Self::default() }
    }
}

impl Scope {
    fn covers(&self, target: Target<'_>) -> bool {
        fn holds<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        let contains = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.is_some_and(|found| found.contains(wanted)))
        };
        holds(self.service.as_ref(), target.service.as_ref())
            && holds(self.method.as_ref(), target.method)
            && contains(&self.path, target.path)
            && contains(&self.name, target.name)
    }
}

impl Faults {
    /// Breaks something everywhere, until it is cleared.
    pub fn inject(&self, fault: Fault) -> FaultId {
        self.inject_in(fault, Scope::default())
    }

    /// Breaks something within limits.
    pub fn inject_in(&self, fault: Fault, scope: Scope) -> FaultId {
        let mut board = self.board();
        board.next += 1;
        let id = FaultId(board.next);
        board.injected.push(Injected { id, fault, scope });
        drop(board);
        self.changed.notify_waiters();
        id
    }

    /// Repairs one thing.
    pub fn clear(&self, id: FaultId) {
        self.repair(|injected| injected.id != id);
        self.changed.notify_waiters();
    }

    /// Repairs everything.
    pub fn clear_all(&self) {
        self.repair(|_| false);
        self.changed.notify_waiters();
    }

    /// The faults that are on.
    pub fn active(&self) -> Vec<(FaultId, Fault)> {
        self.board().injected.iter().map(|i| (i.id, i.fault.clone())).collect()
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        // A panic elsewhere leaves the list whole: there is nothing to repair.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repair(&self, stays: impl Fn(&Injected) -> bool) {
        let mut board = self.board();
        board.generation += 1;
        board.injected.retain(stays);
    }

    /// Grows with every repair: what a fault held up may go on then.
    pub(crate) fn generation(&self) -> u64 {
        self.board().generation
    }

    /// Resolves when the board changes.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The first fault chosen by `pick` that covers the target; it counts as one hit.
    pub(crate) fn find<T>(&self, target: Target<'_>, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut board = self.board();
        let board = &mut *board;
        for injected in &mut board.injected {
            let Some(found) = pick(&injected.fault) else {
                continue;
            };
            if !injected.scope.covers(target) {
                continue;
            }
            if let Some(percent) = injected.scope.percent {
                // A fixed sequence, so that a seed tells the whole story of a run.
                board.chance = board.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(7);
                if (board.chance >> 33) % 100 >= u64::from(percent) {
                    continue;
                }
            }
            if injected.scope.skip > 0 {
                injected.scope.skip -= 1;
                continue;
            }
            match &mut injected.scope.times {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            return Some(found);
        }
        None
    }

    /// Whether this fault is on for the target.
    pub(crate) fn hit(&self, fault: &Fault, target: Target<'_>) -> bool {
        self.find(target, |on| (on == fault).then_some(())).is_some()
    }

    /// How a name server misbehaves, if it does.
    pub(crate) fn name_server(&self, server: usize) -> Option<NameServerMode> {
        self.find(Target::default(), |fault| match fault {
            Fault::NameServer { index, mode } if *index == server => Some(*mode),
            _ => None,
        })
    }
}
