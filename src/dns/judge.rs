//! What an answer means. Pure: presence and absence are proven from header and records, never assumed.

use super::answer::{Answer, Question, Rcode, Record};
use super::data::normalise_data;
use super::name::names_equal;
use super::rtype::RecordType;
use super::serial::Serial;

/// How (and whether) an answer proves that a record set is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// NXDOMAIN with the AA bit: the name does not exist.
    NxDomain,
    /// NOERROR with the AA bit and no answer: the name exists with other types, or below it.
    NoData,
    /// REFUSED, NOTAUTH or a referral: the server does not host the zone. This alone proves nothing: pair it with an
    /// answer for a control zone from the same server in the same round.
    NotHosted(String),
    /// The record set is there (or an alias at the name): these are its records.
    Present(Vec<Record>),
    /// The answer proves neither; the text says why (SERVFAIL, no AA bit, …).
    Error(String),
}

impl Absence {
    /// Whether the server proved by itself that the record set is absent.
    pub fn is_proven(&self) -> bool {
        matches!(self, Self::NxDomain | Self::NoData)
    }
}

/// Classifies an answer for somebody who wants the question's record set to be absent.
pub fn judge_absence(question: &Question, answer: &Answer) -> Absence {
    match answer.rcode {
        Rcode::NXDOMAIN if answer.authoritative => Absence::NxDomain,
        Rcode::NXDOMAIN => {
            Absence::Error("NXDOMAIN without the AA bit: the server is not authoritative".into())
        }
        Rcode::NOERROR => judge_noerror(question, answer),
        Rcode::REFUSED | Rcode::NOTAUTH => Absence::NotHosted(answer.rcode.to_string()),
        other => Absence::Error(format!("the server answered {other}")),
    }
}

fn judge_noerror(question: &Question, answer: &Answer) -> Absence {
    let there: Vec<Record> = answer
        .answers
        .iter()
        .filter(|record| {
            names_equal(&record.name, &question.name)
                && (record.rtype == question.rtype || record.rtype == RecordType::Cname)
        })
        .cloned()
        .collect();
    if !there.is_empty() {
        return Absence::Present(there);
    }
    if !answer.answers.is_empty() {
        return Absence::Error(format!("the server answered something else: {answer}"));
    }
    if answer.authoritative {
        return Absence::NoData;
    }
    let referral = answer.authority.iter().find(|record| record.rtype == RecordType::Ns);
    match referral {
        Some(ns) => Absence::NotHosted(format!("a referral to {}", ns.name)),
        None => Absence::Error("an empty answer without the AA bit: the server is not authoritative".into()),
    }
}

/// Why an answer does not prove presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What is wrong, in words.
    pub reason: String,
    /// What was observed: the data of the record set, or the header when there is none.
    pub observed: String,
}

/// Proves that the question's record set is there with exactly the expected data (order and duplicates do not
/// matter), and with this TTL if one is given.
///
/// # Errors
/// The [`Mismatch`] to show.
pub fn judge_presence(
    question: &Question,
    answer: &Answer,
    expected: &[String],
    ttl: Option<u32>,
) -> Result<(), Mismatch> {
    let wrong = |reason: String, observed: String| Err(Mismatch { reason, observed });
    if answer.rcode != Rcode::NOERROR {
        return wrong(format!("expected NOERROR, got {}", answer.rcode), answer.to_string());
    }
    if !answer.authoritative {
        return wrong("the AA bit is not set".into(), answer.to_string());
    }
    let set: Vec<&Record> = answer
        .answers
        .iter()
        .filter(|r| r.rtype == question.rtype && names_equal(&r.name, &question.name))
        .collect();
    if set.is_empty() {
        let reason = format!("there is no {} record", question.rtype);
        return wrong(reason, answer.to_string());
    }
    let normal = |data: &mut dyn Iterator<Item = &str>| {
        let mut all: Vec<String> = data.map(|data| normalise_data(question.rtype, data)).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let found = normal(&mut set.iter().map(|record| record.data.as_str()));
    let wanted = normal(&mut expected.iter().map(String::as_str));
    if found != wanted {
        return wrong(format!("expected {}, got {}", wanted.join(", "), found.join(", ")), found.join(", "));
    }
    if let Some(ttl) = ttl
        && let Some(other) = set.iter().find(|record| record.ttl != ttl)
    {
        return wrong(format!("expected TTL {ttl}, got {}", other.ttl), other.to_string());
    }
    Ok(())
}

/// The serial in an authoritative answer to a question for a zone's SOA.
pub fn soa_serial(question: &Question, answer: &Answer) -> Option<Serial> {
    if answer.rcode != Rcode::NOERROR || !answer.authoritative {
        return None;
    }
    answer
        .answers
        .iter()
        .find(|r| r.rtype == RecordType::Soa && names_equal(&r.name, &question.name))
        .and_then(|soa| soa.data.split_whitespace().nth(2))
        .and_then(|serial| serial.parse().ok())
        .map(Serial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Transport;
    use rstest::rstest;
    use std::time::Duration;

    fn question() -> Question {
        Question::new("www.example.org", RecordType::A)
    }

    fn record(name: &str, rtype: RecordType, data: &str) -> Record {
        Record { name: name.into(), ttl: 60, rtype, data: data.into() }
    }

    fn answer(rcode: Rcode, aa: bool, answers: Vec<Record>, authority: Vec<Record>) -> Answer {
        Answer {
            rcode,
            authoritative: aa,
            truncated: false,
            transport: Transport::Udp,
            answers,
            authority,
            edns_udp_size: Some(1232),
            elapsed: Duration::ZERO,
        }
    }

    #[rstest]
    #[case(Rcode::NXDOMAIN, true, "nx")]
    #[case(Rcode::NXDOMAIN, false, "error")]
    #[case(Rcode::NOERROR, true, "nodata")]
    #[case(Rcode::NOERROR, false, "error")]
    #[case(Rcode::REFUSED, false, "elsewhere")]
    #[case(Rcode::NOTAUTH, false, "elsewhere")]
    #[case(Rcode::SERVFAIL, true, "error")]
    #[case(Rcode::FORMERR, false, "error")]
    #[case(Rcode(23), false, "error")]
    fn empty_answers(#[case] rcode: Rcode, #[case] aa: bool, #[case] wanted: &str) {
        let absence = judge_absence(&question(), &answer(rcode, aa, vec![], vec![]));
        let kind = match absence {
            Absence::NxDomain => "nx",
            Absence::NoData => "nodata",
            Absence::NotHosted(_) => "elsewhere",
            Absence::Present(_) => "present",
            Absence::Error(_) => "error",
        };
        assert_eq!(kind, wanted);
    }

    #[test]
    fn a_referral_is_not_hosted() {
        let ns = record("org.", RecordType::Ns, "ns.registry.example.");
        let absence = judge_absence(&question(), &answer(Rcode::NOERROR, false, vec![], vec![ns]));
        assert_eq!(absence, Absence::NotHosted("a referral to org.".into()));
    }

    #[test]
    fn the_record_or_an_alias_is_present_and_anything_else_is_an_error() {
        for (name, rtype, present) in [
            ("WWW.example.org.", RecordType::A, true),
            ("www.example.org.", RecordType::Cname, true),
            ("other.example.org.", RecordType::A, false),
            ("www.example.org.", RecordType::Txt, false),
        ] {
            let records = vec![record(name, rtype, "192.0.2.1")];
            let absence = judge_absence(&question(), &answer(Rcode::NOERROR, true, records, vec![]));
            assert_eq!(matches!(absence, Absence::Present(_)), present, "{name}");
            assert_eq!(matches!(absence, Absence::Error(_)), !present, "{name}");
            assert!(!absence.is_proven());
        }
    }

    fn set(data: &[&str]) -> Vec<Record> {
        data.iter().map(|data| record("www.example.org.", RecordType::A, data)).collect()
    }

    #[test]
    fn presence_wants_exactly_the_set() {
        let expected = ["192.0.2.2".to_owned(), "192.0.2.1".to_owned()];
        let good = answer(Rcode::NOERROR, true, set(&["192.0.2.1", "192.0.2.2"]), vec![]);
        assert_eq!(judge_presence(&question(), &good, &expected, Some(60)), Ok(()));

        let cases = [
            (answer(Rcode::NXDOMAIN, true, vec![], vec![]), "expected NOERROR, got NXDOMAIN"),
            (
                answer(Rcode::NOERROR, false, set(&["192.0.2.1", "192.0.2.2"]), vec![]),
                "the AA bit is not set",
            ),
            (answer(Rcode::NOERROR, true, vec![], vec![]), "there is no A record"),
            (
                answer(Rcode::NOERROR, true, set(&["192.0.2.1"]), vec![]),
                "expected 192.0.2.1, 192.0.2.2, got 192.0.2.1",
            ),
        ];
        for (answer, reason) in cases {
            let mismatch = judge_presence(&question(), &answer, &expected, None).unwrap_err();
            assert_eq!(mismatch.reason, reason);
        }
        let mismatch = judge_presence(&question(), &good, &expected, Some(300)).unwrap_err();
        assert_eq!(mismatch.reason, "expected TTL 300, got 60");
    }

    #[test]
    fn the_serial_comes_only_from_authority() {
        let question = Question::new("example.org", RecordType::Soa);
        let soa = record(
            "example.org.",
            RecordType::Soa,
            "ns.example.org. host.example.org. 1700000000 3600 600 86400 60",
        );
        let good = answer(Rcode::NOERROR, true, vec![soa.clone()], vec![]);
        assert_eq!(soa_serial(&question, &good), Some(Serial(1_700_000_000)));
        let lame = answer(Rcode::NOERROR, false, vec![soa], vec![]);
        assert_eq!(soa_serial(&question, &lame), None);
    }
}
