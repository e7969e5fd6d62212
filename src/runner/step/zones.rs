//! Why a zone does not become ACTIVE: what Designate and each name server say of it. Heat tells none of this.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::records::wire;
use crate::dns::{NameServer, Serial, Transport};
use crate::openstack::Session;
use crate::openstack::designate::Zone;
use crate::outcome::Reason;
use crate::runner::context::StepContext;
use crate::runner::fault::StepFault;
use crate::runner::undo::carries;

/// Most zones that are told of.
const MOST: usize = 2;

/// What Designate and the name servers say of the test's zones that are not settled.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    words: String,
    /// The name server that alone is in trouble.
    culprit: Option<String>,
}

/// Looks at the zones of a stack that is waited for, a few times until the end.
///
/// Heat deletes a zone that went to ERROR and makes it again, so that at the end there may be nothing to see of why.
pub struct Watch<'a> {
    context: &'a StepContext<'a>,
    session: &'a Session,
    started: Instant,
    end: Instant,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    looks: u32,
    told: Option<Told>,
}

impl<'a> Watch<'a> {
    /// Begins now.
    pub fn new(context: &'a StepContext<'a>, session: &'a Session) -> Self {
        let end = context.deadline.min(context.test.deadline());
        Self { context, session, started: Instant::now(), end, seen: Mutex::default() }
    }

    /// Looks, where it is time to.
    pub async fn look(&self) {
        let passed = quarters(Instant::now() - self.started, self.end - self.started);
        {
            let mut seen = self.seen();
            if passed == seen.looks || passed > 3 {
                return;
            }
            seen.looks = passed;
        }
        let told = look(self.context, self.session).await;
        if told.as_ref().is_some_and(|told| told.culprit.is_some()) {
            self.seen().told = told;
        }
    }

    /// Adds to a stack's fault what is known of the zones. What was seen before matters only while the stack still
    /// lacks some of them: a name server that was merely later than another one is not to blame.
    pub async fn explain(self, fault: StepFault, lacks_some: bool) -> StepFault {
        let now = look(self.context, self.session).await;
        let before = self.seen().told.take().filter(|_| lacks_some);
        add(fault, now, before)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many quarters of the time have passed.
fn quarters(passed: Duration, whole: Duration) -> u32 {
    (1..=4).take_while(|quarter| passed * 4 >= whole * *quarter).last().unwrap_or(0)
}

async fn look(context: &StepContext<'_>, session: &Session) -> Option<Told> {
    let prefix = &context.test.test.prefix;
    let zones = session.designate().zones(Some(&format!("{prefix}*"))).await.ok()?;
    let open = zones
        .into_iter()
        .filter(|zone| carries(&zone.name, prefix) && (zone.status != "ACTIVE" || zone.action != "NONE"));
    let mut all = Vec::new();
    let mut culprit = None;
    for zone in open.take(MOST) {
        let Ok(servers) = context.run().cloud.name_servers_for(session, &zone.name).await else { continue };
        let said = join_all(servers.iter().map(|server| wire::serial(server, &zone.name, Transport::Udp)));
        let said = said.await;
        culprit = culprit.or_else(|| only_culprit(&zone, &servers, &said));
        all.push(told(&zone, &servers, said));
    }
    (!all.is_empty()).then(|| Told { words: all.join("; "), culprit })
}

/// Where the end does not show who is to blame, what was seen before does; it comes first, as a long message is cut.
fn add(mut fault: StepFault, now: Option<Told>, before: Option<Told>) -> StepFault {
    let before = match &now {
        Some(Told { culprit: Some(_), .. }) => None,
        _ => before,
    };
    for (when, told) in [("earlier ", before), ("", now)] {
        let Some(told) = told else { continue };
        fault.message = format!("{}; {when}{}", fault.message, told.words);
        fault.evidence.name_server = fault.evidence.name_server.or(told.culprit);
    }
    fault
}

type Said = Result<Serial, StepFault>;

/// The first name server in trouble while others are not: if none is as Designate wants it, none of them is to blame.
fn only_culprit(zone: &Zone, servers: &[NameServer], said: &[Said]) -> Option<String> {
    let is_right = |said: &Said| match said {
        Ok(_) => zone.action != "DELETE",
        // One that gives no answer does not tell Designate that the zone is gone.
        Err(fault) => zone.action == "DELETE" && fault.reason != Reason::NameServerUnanswering,
    };
    let some_are_right = said.iter().any(is_right);
    let culprit = servers.iter().zip(said).find(|(_, said)| !is_right(said));
    culprit.filter(|_| some_are_right).map(|(server, _)| server.to_string())
}

fn told(zone: &Zone, servers: &[NameServer], said: Vec<Said>) -> String {
    let each: Vec<String> = servers
        .iter()
        .zip(said)
        .map(|(server, said)| match said {
            Ok(serial) => format!("name server {server} serves it with serial {}", serial.0),
            Err(fault) => fault.message,
        })
        .collect();
    format!("zone {} is {} {} in Designate: {}", zone.name, zone.status, zone.action, each.join(", "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn servers() -> Vec<NameServer> {
        [53, 54]
            .map(|port| NameServer {
                label: format!("192.0.2.1:{port}"),
                address: ([192, 0, 2, 1], port).into(),
            })
            .to_vec()
    }

    fn silent() -> Said {
        Err(StepFault::errored(Reason::NameServerUnanswering, "name server two does not answer"))
    }

    fn zone(action: &str) -> Zone {
        let zone = serde_json::json!({
            "id": "1", "name": "z.example.", "status": "PENDING", "action": action
        });
        serde_json::from_value(zone).unwrap()
    }

    fn without() -> Said {
        Err(StepFault::failed(Reason::RecordMissing, "name server two has no authority"))
    }

    #[rstest]
    #[case::one_has_it("CREATE", [Ok(Serial(1)), silent()], Some("192.0.2.1:54"))]
    #[case::one_lacks_it("UPDATE", [without(), Ok(Serial(1))], Some("192.0.2.1:53"))]
    #[case::none_answers("CREATE", [silent(), silent()], None)]
    #[case::all_have_it("CREATE", [Ok(Serial(1)), Ok(Serial(1))], None)]
    #[case::one_keeps_it("DELETE", [without(), Ok(Serial(1))], Some("192.0.2.1:54"))]
    #[case::one_does_not_say_that_it_is_gone("DELETE", [without(), silent()], Some("192.0.2.1:54"))]
    #[case::not_gone_anywhere_yet("DELETE", [Ok(Serial(1)), silent()], None)]
    #[case::gone("DELETE", [without(), without()], None)]
    fn a_name_server_is_to_blame_only_while_another_one_is_right(
        #[case] action: &str,
        #[case] said: [Said; 2],
        #[case] culprit: Option<&str>,
    ) {
        let blamed = only_culprit(&zone(action), &servers(), &said);
        assert_eq!(blamed.is_some(), culprit.is_some(), "{blamed:?}");
        assert!(blamed.unwrap_or_default().contains(culprit.unwrap_or_default()));
    }

    #[test]
    fn what_was_seen_before_is_told_where_the_end_blames_nobody() {
        let told = |words: &str, culprit: Option<&str>| {
            Some(Told { words: words.to_owned(), culprit: culprit.map(ToOwned::to_owned) })
        };
        let fault = || StepFault::failed(Reason::StackNotComplete, "not yet");
        let seen = add(fault(), told("PENDING DELETE", None), told("PENDING CREATE", Some("two")));
        assert_eq!(seen.message, "not yet; earlier PENDING CREATE; PENDING DELETE");
        assert_eq!(seen.evidence.name_server.as_deref(), Some("two"));
        let seen = add(fault(), told("PENDING CREATE", Some("one")), told("PENDING CREATE", Some("two")));
        assert_eq!(seen.message, "not yet; PENDING CREATE");
        assert_eq!(seen.evidence.name_server.as_deref(), Some("one"));
        assert_eq!(add(fault(), None, None), fault());
    }

    #[test]
    fn it_looks_after_each_quarter_of_the_time() {
        let whole = Duration::from_secs(100);
        let passed = [0, 24, 25, 49, 50, 99, 100, 200].map(Duration::from_secs);
        assert_eq!(passed.map(|passed| quarters(passed, whole)), [0, 0, 1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn each_name_server_is_told_of() {
        let text = told(&zone("CREATE"), &servers(), vec![Ok(Serial(7)), silent()]);
        assert!(text.starts_with("zone z.example. is PENDING CREATE in Designate: "), "{text}");
        assert!(text.contains("with serial 7, name server two does not answer"), "{text}");
    }
}
