//! The `records` step: DNS must tell exactly the truth, in the Designate API and on the wire at every name
//! server, over UDP and over TCP.
//!
//! `wanted` is what the document says with its expressions evaluated; a `round` asks for everything once and
//! gives what is wrong; here rounds are repeated until nothing is, and the times are kept.

mod api;
mod round;
mod times;
mod wanted;
pub(super) mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::outcome::{Propagation, Reason};
use crate::runner::context::{StepContext, Want};
use crate::runner::fault::{StepEnd, StepFault};
use crate::runner::poll::{Observation, Pending};
use crate::scenario::document::RecordsAction;
use round::Round;
use times::Times;
use wanted::{Item, Wanted};

/// Plays it.
pub async fn play(context: &StepContext<'_>, action: &RecordsAction) -> Result<StepEnd, StepFault> {
    let wanted = Wanted::of(context, action)?;
    let round = Round::new(context, &wanted).await?;
    let times = Mutex::new(Times::since(context.test.state().changed.unwrap_or_else(Instant::now)));
    let kind = if wanted.present().is_empty() { "records:absent" } else { "records:present" };
    let settled = context
        .poll(kind, context.deadline, || {
            async {
                let mut times = times.lock().await;
                let faults = round.ask(&mut times).await;
                times.looked();
                match worst(faults) {
                    None => Observation::Done(()),
                    Some(fault) => Observation::waiting(fault),
                }
            }
            .boxed()
        })
        .await;
    let measured = times.into_inner().into_propagation(&wanted, round.servers());
    keep(context, &wanted, measured, settled.is_ok());
    settled?;
    if !wanted.never().is_empty() {
        watch(context, &round, context.test.scaled(action.hold)).await?;
    }
    // Not before: while it is watched the serial must still be newer than the one noted earlier.
    round.note_serials().await?;
    Ok(StepEnd::Done)
}

/// Keeps the times of what had to change; once it did, that is what is known of DNS.
fn keep(context: &StepContext<'_>, wanted: &Wanted, measured: Vec<Propagation>, settled: bool) {
    let mut state = context.test.state();
    for (item, measured) in wanted.settling().into_iter().zip(measured) {
        if changes(item, &state.dns) {
            state.propagation.push(measured);
        }
        if settled {
            state.dns.insert(item.question.to_string(), item.want.clone());
        }
    }
}

/// Whether a record set is to be other than this test saw it last: only a change takes time to become true.
fn changes(item: &Item, seen: &BTreeMap<String, Want>) -> bool {
    *seen.get(&item.question.to_string()).unwrap_or(&Want::Absent) != item.want
}

/// Watches that what must never appear does not; the last look must prove it at every name server.
async fn watch(context: &StepContext<'_>, round: &Round<'_>, hold: Duration) -> Result<(), StepFault> {
    let end = Instant::now() + hold;
    context
        .watch(end, || {
            async {
                let faults = round.ask_never().await;
                let (appeared, unproven): (Vec<_>, Vec<_>) =
                    faults.into_iter().partition(|fault| fault.reason == Reason::RecordUnexpected);
                if let Some(fault) = appeared.into_iter().next() {
                    return Observation::Fault(fault);
                }
                match worst(unproven) {
                    None if Instant::now() >= end => Observation::Done(()),
                    None => Observation::Pending(Pending {
                        seen: "absent so far".to_owned(),
                        ..Pending::fault(StepFault::errored(
                            Reason::TestTimedOut,
                            "time ran out while it held",
                        ))
                    }),
                    Some(fault) => Observation::waiting(fault),
                }
            }
            .boxed()
        })
        .await
}

/// The fault to report of several, with what somebody else says of it. A server that tells something wrong says
/// more than one that is silent, and that one more than Designate, which waits for it.
fn worst(faults: Vec<StepFault>) -> Option<StepFault> {
    let rank = |fault: &StepFault| match fault.reason {
        _ if api::is_unsettled(fault) => 2,
        reason if reason.is_check() => 0,
        _ => 1,
    };
    let (at, _) = faults.iter().enumerate().min_by_key(|(_, fault)| rank(fault))?;
    let mut others = faults;
    let mut fault = others.swap_remove(at);
    let speaks_for_another = |other: &StepFault| other.evidence.service != fault.evidence.service;
    let also = others.iter().position(speaks_for_another).map(|other| others.swap_remove(other));
    if let Some(also) = also {
        fault.message = format!("{}; {}", fault.message, also.message);
    }
    if !others.is_empty() {
        fault.message = format!("{} (and {} more)", fault.message, others.len());
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Question, RecordType};
    use crate::outcome::Evidence;

    fn of(service: &str, expected: &str, fault: StepFault) -> StepFault {
        let [service, expected] = [service, expected].map(|text| Some(text.to_owned()));
        fault.with(Evidence { service, expected, ..Evidence::default() })
    }

    #[test]
    fn only_what_is_new_takes_time_to_become_true() {
        let item = |want: &Want| Item {
            question: Question::new("a.example.", RecordType::A),
            want: want.clone(),
            in_zone: true,
            whole_over_udp: false,
        };
        let there = |data: &str| Want::Present { data: vec![data.to_owned()], ttl: None };
        let seen = [(item(&Want::Absent).question.to_string(), there("192.0.2.1"))].into();
        assert!(!changes(&item(&Want::Absent), &BTreeMap::new()), "never published");
        assert!(changes(&item(&there("192.0.2.1")), &BTreeMap::new()));
        assert!(!changes(&item(&there("192.0.2.1")), &seen), "unchanged");
        assert!(changes(&item(&there("192.0.2.2")), &seen));
        assert!(changes(&item(&Want::Absent), &seen));
    }

    #[test]
    fn a_silent_name_server_is_told_of_before_designate_which_waits_for_it() {
        let pending = of("dns", api::SETTLED, StepFault::failed(Reason::RecordMissing, "PENDING"));
        let silent = of("dns-wire", "an answer", StepFault::errored(Reason::NameServerUnanswering, "silent"));
        let wrong = of("dns-wire", "192.0.2.1", StepFault::failed(Reason::RecordWrong, "wrong"));
        let fault = worst(vec![pending.clone(), silent.clone(), silent.clone()]).unwrap();
        assert_eq!(
            (fault.reason, fault.message.as_str()),
            (Reason::NameServerUnanswering, "silent; PENDING (and 1 more)")
        );
        assert_eq!(worst(vec![pending, silent, wrong]).unwrap().reason, Reason::RecordWrong);
        assert_eq!(worst(Vec::new()), None);
    }
}
