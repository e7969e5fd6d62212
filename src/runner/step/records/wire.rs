//! One record set, asked of one name server: what is wrong with the answer, if anything.

use std::time::Duration;

use super::wanted::Item;
use crate::dns::{
    Absence, Answer, DnsError, NameServer, Question, RecordType, Serial, Transport, ask, judge_absence,
    judge_presence, soa_serial,
};
use crate::outcome::{Evidence, Reason};
use crate::runner::context::Want;
use crate::runner::fault::StepFault;

/// How long a name server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks over UDP, then over TCP; both must be right.
pub async fn check(server: &NameServer, item: &Item, control: &str) -> Result<(), StepFault> {
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = ask(server.address, &item.question, transport, PATIENCE).await;
        let answer = answer.map_err(|error| unanswering(server, &item.question, transport, &error))?;
        match &item.want {
            Want::Present { data, ttl } => present(server, item, transport, &answer, data, *ttl)?,
            Want::Absent | Want::Never => absent(server, item, transport, &answer, control).await?,
        }
    }
    Ok(())
}

fn present(
    server: &NameServer,
    item: &Item,
    transport: Transport,
    answer: &Answer,
    data: &[String],
    ttl: Option<u32>,
) -> Result<(), StepFault> {
    let Err(mismatch) = judge_presence(&item.question, answer, data, ttl) else {
        return if item.whole_over_udp { whole(server, item, transport, answer) } else { Ok(()) };
    };
    let evidence = evidence(server, &item.question, transport)
        .expecting(data.join(", "), format!("{} ({answer})", mismatch.observed));
    if let Absence::Error(why) = judge_absence(&item.question, answer)
        && answer.answers.is_empty()
    {
        let message = format!("name server {server} gives no answer for {}: {why}", item.question);
        return Err(StepFault::errored(Reason::NameServerUnanswering, message).with(evidence));
    }
    let there = answer.answers.iter().any(|record| record.rtype == item.question.rtype);
    let reason = if there { Reason::RecordWrong } else { Reason::RecordMissing };
    let message = format!(
        "{} is not served as {} by name server {server} over {transport}: {}",
        item.question,
        data.join(", "),
        mismatch.reason
    );
    Err(StepFault::failed(reason, message).with(evidence))
}

/// Whether the server honoured the size that it was told, instead of cutting the answer.
fn whole(server: &NameServer, item: &Item, transport: Transport, answer: &Answer) -> Result<(), StepFault> {
    if transport == Transport::Tcp || (!answer.truncated && answer.edns_udp_size.is_some()) {
        return Ok(());
    }
    let observed = if answer.truncated { "cut (TC)" } else { "without EDNS" };
    let message = format!(
        "name server {server} answers {} over UDP {observed}, and not whole with EDNS",
        item.question
    );
    let evidence =
        evidence(server, &item.question, transport).expecting("whole, with EDNS".into(), observed.to_owned());
    Err(StepFault::failed(Reason::RecordWrong, message).with(evidence))
}

async fn absent(
    server: &NameServer,
    item: &Item,
    transport: Transport,
    answer: &Answer,
    control: &str,
) -> Result<(), StepFault> {
    let evidence =
        evidence(server, &item.question, transport).expecting("absent".to_owned(), answer.to_string());
    match judge_absence(&item.question, answer) {
        Absence::NxDomain | Absence::NoData => Ok(()),
        Absence::NotHosted(how) => alive(server, control, transport).await.map_err(|fault| {
            let message = format!(
                "name server {server} answers {how} for {}, which proves nothing: {}",
                item.question, fault.message
            );
            StepFault { message, ..fault }
        }),
        Absence::Present(_) => {
            let (reason, word) = match item.want {
                Want::Never => (Reason::RecordUnexpected, "appeared"),
                _ => (Reason::RecordNotGone, "is still served"),
            };
            let message = format!("{} {word} at name server {server} over {transport}", item.question);
            Err(StepFault::failed(reason, message).with(evidence))
        }
        Absence::Error(why) => {
            let message = format!("name server {server} does not prove {} absent: {why}", item.question);
            Err(StepFault::errored(Reason::NameServerUnanswering, message).with(evidence))
        }
    }
}

/// Whether the server answers for the control zone with authority.
async fn alive(server: &NameServer, control: &str, transport: Transport) -> Result<(), StepFault> {
    serial(server, control, transport).await.map(|_| ())
}

/// The serial of a zone at one name server.
pub async fn serial(server: &NameServer, zone: &str, transport: Transport) -> Result<Serial, StepFault> {
    let question = Question::new(zone, RecordType::Soa);
    let answer = ask(server.address, &question, transport, PATIENCE).await;
    let answer = answer.map_err(|error| unanswering(server, &question, transport, &error))?;
    soa_serial(&question, &answer).ok_or_else(|| {
        let evidence =
            evidence(server, &question, transport).expecting("an SOA with AA".into(), answer.to_string());
        if let Absence::Error(why) = judge_absence(&question, &answer)
            && answer.answers.is_empty()
        {
            let message = format!("name server {server} gives no answer for {question}: {why}");
            return StepFault::errored(Reason::NameServerUnanswering, message).with(evidence);
        }
        let message = format!("name server {server} has no authority for zone {zone}: {answer}");
        StepFault::failed(Reason::RecordMissing, message).with(evidence)
    })
}

fn unanswering(
    server: &NameServer,
    question: &Question,
    transport: Transport,
    error: &DnsError,
) -> StepFault {
    let message = format!("name server {server} does not answer {question} over {transport}: {error}");
    let evidence = evidence(server, question, transport).expecting("an answer".to_owned(), error.to_string());
    StepFault::errored(Reason::NameServerUnanswering, message).with(evidence)
}

fn evidence(server: &NameServer, question: &Question, transport: Transport) -> Evidence {
    Evidence {
        service: Some("dns-wire".to_owned()),
        method: Some(transport.to_string()),
        path: Some(question.to_string()),
        name_server: Some(server.to_string()),
        ..Evidence::default()
    }
}

trait Expecting {
    fn expecting(self, expected: String, observed: String) -> Self;
}

impl Expecting for Evidence {
    fn expecting(self, expected: String, observed: String) -> Self {
        Self { expected: Some(expected), observed: Some(observed), ..self }
    }
}
