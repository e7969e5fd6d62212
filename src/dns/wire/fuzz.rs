//! Answers with records of every type, damaged.

#[path = "../../../tests/integration/fuzz/mutate.rs"]
mod mutate;

use hickory_proto::rr::RData;
use proptest::prelude::*;

use super::*;
use crate::dns::normalise_data;

const RECORDS: [(&str, &str); 10] = [
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("CNAME", "www.example.org."),
    ("MX", "10 mail.example.org."),
    ("NS", "ns1.example.org."),
    ("SRV", "1 2 443 www.example.org."),
    ("SOA", "ns1.example.org. hostmaster.example.org. 7 1 2 3 4"),
    ("TXT", "\"some text\" \"and more\""),
    ("CAA", "0 issue \"ca.example.org\""),
    ("SSHFP", "1 1 0123456789abcdef0123456789abcdef01234567"),
];

fn question() -> Question {
    Question::new("www.example.org.", RecordType::A)
}

fn answers() -> Vec<Vec<u8>> {
    let name = Name::from_ascii(&question().name).unwrap();
    let answer = |(rtype, data): (&str, &str)| {
        let mut message = Message::response(7, OpCode::Query);
        message.metadata.authoritative = true;
        message.add_query(Query::query(name.clone(), hickory_proto::rr::RecordType::A));
        let data = RData::try_from_str(rtype.parse().unwrap(), data).unwrap();
        let record = WireRecord::from_rdata(name.clone(), 60, data);
        message.add_answer(record.clone()).add_authority(record).set_edns(Edns::new());
        message.to_vec().unwrap()
    };
    RECORDS.map(answer).to_vec()
}

#[test]
fn what_is_damaged_was_whole() {
    for bytes in answers() {
        assert!(matches!(decode(&bytes, 7, &question()), Reply::Whole(_)), "{bytes:?}");
    }
}

proptest! {
    #![proptest_config(mutate::few())]

    #[test]
    fn a_damaged_answer_is_read_or_told_in_short(bytes in mutate::bytes(answers())) {
        match decode(&bytes, 7, &question()) {
            Reply::Whole(decoded) | Reply::Truncated(Some(decoded)) => {
                for record in decoded.answers.iter().chain(&decoded.authority) {
                    let normal = normalise_data(record.rtype, &record.data);
                    prop_assert_eq!(normalise_data(record.rtype, &normal), normal, "{:?}", record);
                }
            }
            Reply::Truncated(None) => {}
            Reply::Other(reason) => prop_assert!(reason.chars().count() <= 2000, "{}", reason),
        }
    }
}
