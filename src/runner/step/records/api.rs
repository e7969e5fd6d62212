//! The zone as the Designate API has it, and what is wrong with it.

use crate::dns::{names_equal, same_data};
use crate::openstack::designate::{RecordSet, Zone};
use crate::openstack::{Error, Session};
use crate::outcome::{Evidence, Reason};
use crate::runner::cloud::fault_of;
use crate::runner::fault::StepFault;

use super::times::Times;
use super::wanted::{Item, Wanted};
use crate::runner::context::Want;

/// What is expected of a record set that is there: a change that every name server serves.
pub const SETTLED: &str = "ACTIVE NONE";

/// Whether a fault only says that Designate waits for its name servers.
pub fn is_unsettled(fault: &StepFault) -> bool {
    fault.evidence.expected.as_deref() == Some(SETTLED)
}

/// A zone and its record sets at one moment; [`None`] when there is no such zone.
pub struct ApiView {
    /// The zone.
    pub zone: Option<Zone>,
    recordsets: Vec<RecordSet>,
}

/// The zone of this name, if there is one.
pub async fn zone(session: &Session, name: &str) -> Result<Option<Zone>, StepFault> {
    let zones = session.designate().zones(Some(name)).await.map_err(|error| fault_of(&error))?;
    Ok(zones.into_iter().find(|found| names_equal(&found.name, name)))
}

/// Reads all pages of a zone's record sets.
pub async fn read(session: &Session, zone: Option<Zone>) -> Result<ApiView, StepFault> {
    let Some(zone) = zone else { return Ok(ApiView { zone: None, recordsets: Vec::new() }) };
    match session.designate().record_sets(&zone.id, None, None).await {
        Ok(recordsets) => Ok(ApiView { zone: Some(zone), recordsets }),
        Err(error) if Error::is_not_found(&error) => Ok(ApiView { zone: None, recordsets: Vec::new() }),
        Err(error) => Err(fault_of(&error)),
    }
}

impl ApiView {
    /// What is wrong with one record set, if anything.
    pub fn check(&self, item: &Item, times: &mut Times) -> Option<StepFault> {
        let sets: Vec<_> = self
            .recordsets
            .iter()
            .filter(|set| {
                set.rtype == item.question.rtype.to_string() && names_equal(&set.name, &item.question.name)
            })
            .collect();
        match &item.want {
            Want::Present { data, .. } => self.check_present(item, data, &sets, times),
            Want::Absent | Want::Never if sets.is_empty() => {
                times.api_true(&item.question);
                None
            }
            want => {
                let (reason, word) = match want {
                    Want::Never => (Reason::RecordUnexpected, "appeared in"),
                    _ => (Reason::RecordNotGone, "is still in"),
                };
                let seen = sets.iter().map(|set| set.records.join(", ")).collect::<Vec<_>>().join("; ");
                let message = format!("{} {word} Designate with {seen}", item.question);
                Some(StepFault::failed(reason, message).with(self.evidence("absent", &seen)))
            }
        }
    }

    fn check_present(
        &self,
        item: &Item,
        data: &[String],
        sets: &[&RecordSet],
        times: &mut Times,
    ) -> Option<StepFault> {
        let wanted = data.join(", ");
        let [set] = sets else {
            let message = match &self.zone {
                None => format!("{} is not in Designate: there is no such zone", item.question),
                Some(zone) => format!("{} is not in Designate's zone {}", item.question, zone.name),
            };
            return Some(
                StepFault::failed(Reason::RecordMissing, message).with(self.evidence(&wanted, "nothing")),
            );
        };
        let seen = set.records.join(", ");
        let rtype = item.question.rtype;
        let all_of = |these: &[String], those: &[String]| {
            these.iter().all(|this| those.iter().any(|that| same_data(rtype, this, that)))
        };
        if !all_of(data, &set.records) || !all_of(&set.records, data) {
            let message = format!("{} in Designate is {seen} instead of {wanted}", item.question);
            return Some(StepFault::failed(Reason::RecordWrong, message).with(self.evidence(&wanted, &seen)));
        }
        times.api_true(&item.question);
        if set.status != "ACTIVE" || set.action != "NONE" {
            let message =
                format!("{} in Designate is {} with action {}", item.question, set.status, set.action);
            let state = format!("{} {}", set.status, set.action);
            return Some(
                StepFault::failed(Reason::RecordMissing, message).with(self.evidence(SETTLED, &state)),
            );
        }
        times.active(&item.question);
        None
    }

    /// Record sets that nobody wants: anything but the zone's own SOA and NS.
    pub fn others(&self, wanted: &Wanted) -> Option<StepFault> {
        let other = self.recordsets.iter().find(|set| {
            let own = names_equal(&set.name, &wanted.zone) && matches!(set.rtype.as_str(), "SOA" | "NS");
            let listed = wanted.present().iter().any(|item| {
                set.rtype == item.question.rtype.to_string() && names_equal(&set.name, &item.question.name)
            });
            !own && !listed
        })?;
        let seen = format!("{} {} {}", other.name, other.rtype, other.records.join(", "));
        let message = format!("zone {} holds {seen}, which it must not", wanted.zone);
        Some(StepFault::failed(Reason::RecordUnexpected, message).with(self.evidence("nothing else", &seen)))
    }

    fn evidence(&self, expected: &str, observed: &str) -> Evidence {
        let path = match &self.zone {
            Some(zone) => format!("/v2/zones/{}/recordsets", zone.id),
            None => "/v2/zones".to_owned(),
        };
        Evidence {
            service: Some("dns".to_owned()),
            method: Some("GET".to_owned()),
            path: Some(path),
            expected: Some(expected.to_owned()),
            observed: Some(observed.to_owned()),
            ..Evidence::default()
        }
    }
}
