//! What can be broken in the simulated cloud, switched on and off while it runs.

mod kind;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

pub use self::kind::{Fault, NameServerMode};
use super::wire::Service;

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
    reached: BTreeMap<&'static str, u64>,
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

    /// Whether this fault is on for the target. Whoever asks is about to do what the fault would break.
    pub(crate) fn hit(&self, fault: &Fault, target: Target<'_>) -> bool {
        self.reach(fault);
        self.is_on(fault, target)
    }

    /// The same for who does not know yet whether there will be anything to break.
    pub(crate) fn is_on(&self, fault: &Fault, target: Target<'_>) -> bool {
        self.find(target, |on| (on == fault).then_some(())).is_some()
    }

    /// Notes that what this fault would break was done.
    pub(crate) fn reach(&self, fault: &Fault) {
        *self.board().reached.entry(fault.name()).or_default() += 1;
    }

    /// How often the cloud has done so far what each fault would break, by the fault's name; whether it was on or not.
    /// What is not here no test could have seen. Faults of calls and of name servers' answers are not counted: see
    /// [`super::Requests`].
    pub fn reached(&self) -> BTreeMap<&'static str, u64> {
        self.board().reached.clone()
    }

    /// How a name server misbehaves, if it does.
    pub(crate) fn name_server(&self, server: usize) -> Option<NameServerMode> {
        self.find(Target::default(), |fault| match fault {
            Fault::NameServer { index, mode } if *index == server => Some(*mode),
            _ => None,
        })
    }
}
