//! Messages to bytes and back. Everything that arrives is hostile until checked against its question.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, Record as WireRecord};

use super::answer::{Question, Rcode, Record};
use super::data::present;
use super::error::DnsError;
use super::name::names_equal;
use super::rtype::RecordType;

/// The size that fits any path without fragments (DNS flag day 2020).
pub(super) const EDNS_SIZE: u16 = 1232;

/// Encodes a question: recursion not desired, EDNS announced.
pub(super) fn encode(id: u16, question: &Question) -> Result<Vec<u8>, DnsError> {
    let invalid = |reason: String| DnsError::InvalidName { name: question.name.clone(), reason };
    let name = Name::from_str_relaxed(&question.name).map_err(|error| invalid(error.to_string()))?;
    let mut query = Query::query(name, question.rtype.to_wire());
    query.set_query_class(DNSClass::IN);
    let mut edns = Edns::new();
    edns.set_max_payload(EDNS_SIZE);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = false;
    message.add_query(query).set_edns(edns);
    message.to_vec().map_err(|error| invalid(error.to_string()))
}

/// An accepted answer, before anybody knows how long it took.
#[derive(Debug)]
pub(super) struct Decoded {
    pub rcode: Rcode,
    pub authoritative: bool,
    pub answers: Vec<Record>,
    pub authority: Vec<Record>,
    pub edns_udp_size: Option<u16>,
}

/// What a message that arrived is.
#[derive(Debug)]
pub(super) enum Reply {
    /// An answer to the question, whole.
    Whole(Decoded),
    /// An answer to the question with the TC bit; what is in it may be cut anywhere, so only over TCP is it used.
    Truncated(Option<Decoded>),
    /// Not an answer to the question; the text says why.
    Other(String),
}

/// Reads what arrived and checks it against the question. Never panics, whatever the bytes.
pub(super) fn decode(bytes: &[u8], id: u16, question: &Question) -> Reply {
    let Some((header, truncated)) = header(bytes) else {
        return Reply::Other(format!("{} bytes without a DNS header", bytes.len()));
    };
    if header != id {
        return Reply::Other(format!("an answer with the wrong id {header}"));
    }
    let message = match Message::from_vec(bytes) {
        Ok(message) => message,
        Err(_) if truncated => return Reply::Truncated(None),
        Err(error) => return Reply::Other(format!("a malformed message ({error})")),
    };
    if message.metadata.message_type != MessageType::Response || message.metadata.op_code != OpCode::Query {
        return Reply::Other("a message that is no answer to a query".to_owned());
    }
    let rcode = Rcode(message.metadata.response_code.into());
    match message.queries.as_slice() {
        [echoed] if is_echo(echoed, question) => {}
        // A server that could not read the question has nothing to echo.
        [] if rcode == Rcode::FORMERR || rcode == Rcode::NOTIMP || rcode == Rcode::SERVFAIL => {}
        [] => return Reply::Other("an answer without its question".to_owned()),
        [echoed, ..] => {
            return Reply::Other(format!(
                "an answer to another question ({} {})",
                echoed.name().to_ascii(),
                RecordType::from_code(echoed.query_type().into())
            ));
        }
    }
    let decoded = Decoded {
        rcode,
        authoritative: message.metadata.authoritative,
        answers: message.answers.iter().map(record).collect(),
        authority: message.authorities.iter().map(record).collect(),
        edns_udp_size: message.edns.as_ref().map(Edns::max_payload),
    };
    if truncated { Reply::Truncated(Some(decoded)) } else { Reply::Whole(decoded) }
}

/// The id and the TC bit, readable even when the rest was cut.
fn header(bytes: &[u8]) -> Option<(u16, bool)> {
    match bytes {
        [a, b, flags, ..] if bytes.len() >= 12 => Some((u16::from_be_bytes([*a, *b]), flags & 0b10 != 0)),
        _ => None,
    }
}

fn is_echo(echoed: &Query, question: &Question) -> bool {
    echoed.query_class() == DNSClass::IN
        && u16::from(echoed.query_type()) == question.rtype.code()
        && names_equal(&echoed.name().to_ascii(), &question.name)
}

fn record(record: &WireRecord) -> Record {
    Record {
        name: record.name.to_ascii(),
        ttl: record.ttl,
        rtype: RecordType::from_code(record.record_type().into()),
        data: present(&record.data),
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_question_is_one_that_authoritative_servers_expect() {
        let bytes = encode(0x1234, &Question::new("_sip._tcp.Example.org", RecordType::Srv)).unwrap();
        let message = Message::from_vec(&bytes).unwrap();
        assert_eq!(message.metadata.id, 0x1234);
        assert!(!message.metadata.recursion_desired);
        assert_eq!(message.edns.as_ref().map(Edns::max_payload), Some(1232));
        assert_eq!(message.queries[0].name().to_ascii(), "_sip._tcp.example.org.");
    }

    #[test]
    fn names_that_cannot_be_asked_are_refused() {
        let long = format!("{}.example.", "a".repeat(64));
        for name in [long.as_str(), "a..b.", &"abcdefgh.".repeat(40)] {
            let asked = encode(1, &Question::new(name, RecordType::A));
            assert!(matches!(asked, Err(DnsError::InvalidName { .. })), "{name}: {asked:?}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = decode(&bytes, 7, &Question::new("example.org.", RecordType::A));
        }

        #[test]
        fn damaged_answers_never_panic(
            position in 0_usize..200, value in any::<u8>(), cut in 0_usize..200,
        ) {
            let question = Question::new("www.example.org.", RecordType::Txt);
            let mut bytes = encode(7, &question).unwrap();
            bytes[2] |= 0x80;
            bytes[7] = 1;
            bytes.truncate(bytes.len() - 11); // the OPT record
            bytes[11] = 0;
            bytes.extend_from_slice(&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, 6, 5, b'h', b'e', b'l', b'l', b'o']);
            prop_assert!(matches!(decode(&bytes, 7, &question), Reply::Whole(_)));
            let position = position % bytes.len();
            bytes[position] = value;
            bytes.truncate(cut);
            let _ = decode(&bytes, 7, &question);
        }

        #[test]
        fn any_text_is_a_name_or_an_error(name in "\\PC{0,80}") {
            let _ = encode(7, &Question::new(&name, RecordType::A));
        }
    }
}
