//! Why a zone does not become ACTIVE: what Designate and each name server say of it. Heat tells none of this.

use futures::future::join_all;

use super::records::wire;
use crate::dns::{NameServer, Serial, Transport};
use crate::openstack::Session;
use crate::openstack::designate::Zone;
use crate::runner::context::StepContext;
use crate::runner::fault::StepFault;
use crate::runner::undo::carries;

/// Most zones that are told of.
const MOST: usize = 2;

/// Adds to a stack's fault what is known of the test's zones that are not settled.
pub async fn explain(context: &StepContext<'_>, session: &Session, mut fault: StepFault) -> StepFault {
    let prefix = &context.test.test.prefix;
    let Ok(zones) = session.designate().zones(Some(&format!("{prefix}*"))).await else { return fault };
    let open = zones
        .into_iter()
        .filter(|zone| carries(&zone.name, prefix) && (zone.status != "ACTIVE" || zone.action != "NONE"));
    for zone in open.take(MOST) {
        let Ok(servers) = context.run().cloud.name_servers_for(session, &zone.name).await else { continue };
        let said = join_all(servers.iter().map(|server| wire::serial(server, &zone.name, Transport::Udp)));
        let said = said.await;
        if fault.evidence.name_server.is_none() {
            fault.evidence.name_server = only_culprit(&servers, &said);
        }
        fault.message = format!("{}; {}", fault.message, told(&zone, &servers, said));
    }
    fault
}

type Said = Result<Serial, StepFault>;

/// The first name server in trouble while others are not: if none knows the zone, none of them is to blame.
fn only_culprit(servers: &[NameServer], said: &[Said]) -> Option<String> {
    let some_serve = said.iter().any(Result::is_ok);
    let culprit = servers.iter().zip(said).find(|(_, said)| said.is_err());
    culprit.filter(|_| some_serve).map(|(server, _)| server.to_string())
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
    use super::*;
    use crate::outcome::Reason;

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

    #[test]
    fn a_name_server_is_to_blame_only_while_another_one_serves_the_zone() {
        let culprit = only_culprit(&servers(), &[Ok(Serial(1)), silent()]);
        assert!(culprit.is_some_and(|culprit| culprit.contains("192.0.2.1:54")));
        assert_eq!(only_culprit(&servers(), &[silent(), silent()]), None);
        assert_eq!(only_culprit(&servers(), &[Ok(Serial(1)), Ok(Serial(1))]), None);
    }

    #[test]
    fn each_name_server_is_told_of() {
        let zone: Zone = serde_json::from_value(serde_json::json!({
            "id": "1", "name": "z.example.", "status": "PENDING", "action": "CREATE"
        }))
        .unwrap();
        let text = told(&zone, &servers(), vec![Ok(Serial(7)), silent()]);
        assert!(text.starts_with("zone z.example. is PENDING CREATE in Designate: "), "{text}");
        assert!(text.contains("with serial 7, name server two does not answer"), "{text}");
    }
}
