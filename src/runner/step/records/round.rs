//! One round: everything that is wanted is asked once, everybody at the same time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{join, join_all};

use super::api::{self, ApiView};
use super::times::Times;
use super::wanted::{Item, Wanted};
use super::wire;
use crate::dns::{NameServer, Serial, Transport};
use crate::openstack::Session;
use crate::openstack::designate::Zone;
use crate::outcome::Reason;
use crate::runner::context::StepContext;
use crate::runner::fault::StepFault;

/// What rounds of one step share.
pub struct Round<'a> {
    context: &'a StepContext<'a>,
    session: &'a Session,
    wanted: &'a Wanted,
    servers: Vec<NameServer>,
    settled: Mutex<HashSet<(String, String)>>,
    /// The zone as it was found; not asked for again while it says enough.
    zone: Mutex<Option<Zone>>,
}

type Pair<'b> = (&'b Item, &'b NameServer);

fn key((item, server): &Pair<'_>) -> (String, String) {
    (item.question.to_string(), server.label.clone())
}

impl<'a> Round<'a> {
    /// Finds the name servers of the wanted zone; without any there is nothing to ask.
    pub async fn new(context: &'a StepContext<'a>, wanted: &'a Wanted) -> Result<Self, StepFault> {
        let session = context.session()?;
        let servers = context.run().cloud.name_servers_for(session, &wanted.control).await?;
        Ok(Self { context, session, wanted, servers, settled: Mutex::default(), zone: Mutex::default() })
    }

    /// How many name servers are asked.
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    /// Asks for everything that must become true. What a server has told right before is left out, until nothing
    /// is open any more: then one whole round shows that all of it is true at the same time.
    pub async fn ask(&self, times: &mut Times) -> Vec<StepFault> {
        let items = self.wanted.settling();
        let all = self.pairs(&items);
        let open: Vec<_> = all.iter().copied().filter(|pair| !self.settled().contains(&key(pair))).collect();
        let whole = open.len() == all.len();
        let faults = self.ask_all(items, open, times).await;
        if faults.is_empty() && !whole { self.ask_wire(all, times).await } else { faults }
    }

    /// Asks for everything that must never be there.
    pub async fn ask_never(&self) -> Vec<StepFault> {
        let never = self.wanted.never();
        let pairs = self.pairs(&never);
        self.ask_all(never, pairs, &mut Times::since(tokio::time::Instant::now())).await
    }

    fn settled(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pairs(&self, items: &[&'a Item]) -> Vec<Pair<'_>> {
        items.iter().flat_map(|item| self.servers.iter().map(move |server| (*item, server))).collect()
    }

    async fn ask_all(&self, items: Vec<&Item>, pairs: Vec<Pair<'_>>, times: &mut Times) -> Vec<StepFault> {
        let mut wire_times = Times::since(tokio::time::Instant::now());
        let (view, mut faults) = join(self.view(), self.ask_wire(pairs, &mut wire_times)).await;
        times.merge_servers(wire_times);
        match view {
            Ok(view) => faults.extend(self.check_api(&items, &view, times)),
            Err(fault) => faults.push(fault),
        }
        if self.wanted.serial_advanced {
            faults.extend(self.check_serials().await);
        }
        faults
    }

    /// Designate's view. Its zone is looked for until it is there, and as long as its serial must still advance.
    async fn view(&self) -> Result<ApiView, StepFault> {
        let known = self.known().take();
        let awaited = |zone: &Zone| self.wanted.serial_advanced && !self.has_advanced(zone);
        let zone = match known.filter(|zone| !awaited(zone)) {
            None => api::zone(self.session, &self.wanted.zone).await?,
            known => known,
        };
        let view = api::read(self.session, zone).await?;
        self.known().clone_from(&view.zone);
        Ok(view)
    }

    fn known(&self) -> MutexGuard<'_, Option<Zone>> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_advanced(&self, zone: &Zone) -> bool {
        self.noted().is_none_or(|noted| Serial(zone.serial).is_newer_than(noted))
    }

    fn check_api(&self, items: &[&Item], view: &ApiView, times: &mut Times) -> Vec<StepFault> {
        let mut faults: Vec<StepFault> =
            items.iter().filter(|item| item.in_zone).filter_map(|item| view.check(item, times)).collect();
        if self.wanted.only {
            faults.extend(view.others(self.wanted));
        }
        if self.wanted.serial_advanced
            && let (Some(zone), Some(noted)) = (&view.zone, self.noted())
            && !self.has_advanced(zone)
        {
            faults.push(not_advanced(&self.wanted.zone, "Designate", noted, Serial(zone.serial)));
        }
        faults
    }

    async fn ask_wire(&self, pairs: Vec<Pair<'_>>, times: &mut Times) -> Vec<StepFault> {
        let control = self.wanted.control.as_str();
        let answers = join_all(pairs.into_iter().map(|(item, server)| async move {
            let end = wire::check(server, item, control).await;
            (item, server, end, tokio::time::Instant::now())
        }))
        .await;
        let mut faults = Vec::new();
        for (item, server, end, at) in answers {
            match end {
                Ok(()) => {
                    self.settled().insert(key(&(item, server)));
                    times.server_true_at(&item.question, &server.label, at);
                }
                Err(fault) => {
                    self.settled().remove(&key(&(item, server)));
                    faults.push(fault);
                }
            }
        }
        faults
    }

    async fn check_serials(&self) -> Vec<StepFault> {
        let Some(noted) = self.noted() else { return Vec::new() };
        let zone = self.wanted.zone.as_str();
        let ends = join_all(self.servers.iter().map(|server| async move {
            let serial = wire::serial(server, zone, Transport::Udp).await?;
            if serial.is_newer_than(noted) {
                Ok(())
            } else {
                Err(not_advanced(zone, &format!("name server {server}"), noted, serial))
            }
        }))
        .await;
        ends.into_iter().filter_map(Result::err).collect()
    }

    fn noted(&self) -> Option<Serial> {
        self.context.test.state().serials.get(&self.wanted.zone).copied()
    }

    /// Notes the zone's serial, for the next step that wants it to have advanced.
    pub async fn note_serials(&self) -> Result<(), StepFault> {
        if let Some(zone) = api::zone(self.session, &self.wanted.zone).await? {
            self.context.test.state().serials.insert(self.wanted.zone.clone(), Serial(zone.serial));
        }
        Ok(())
    }
}

fn not_advanced(zone: &str, of: &str, noted: Serial, now: Serial) -> StepFault {
    let message = format!("the serial of zone {zone} at {of} is {} and was {} before", now.0, noted.0);
    StepFault::failed(Reason::SerialNotAdvanced, message)
}
