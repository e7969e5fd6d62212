//! Record data as text: written in one way, compared by what it means.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::RData;

use super::name::canonical_name;
use super::rtype::RecordType;

/// Data in presentation format, as a zone file has it; unknown types as RFC 3597 shows them where possible.
pub(super) fn present(data: &RData) -> String {
    match data {
        RData::A(a) => a.0.to_string(),
        RData::AAAA(aaaa) => aaaa.0.to_string(),
        RData::CNAME(name) => name.0.to_ascii(),
        RData::NS(name) => name.0.to_ascii(),
        RData::PTR(name) => name.0.to_ascii(),
        RData::MX(mx) => format!("{} {}", mx.preference, mx.exchange.to_ascii()),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target.to_ascii()),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            soa.mname.to_ascii(),
            soa.rname.to_ascii(),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        RData::TXT(txt) => {
            let strings: Vec<String> = txt.txt_data.iter().map(|s| quote(s)).collect();
            strings.join(" ")
        }
        RData::CAA(caa) => format!("{} {} {}", caa.flags(), caa.tag, quote(&caa.value)),
        RData::NAPTR(naptr) => format!(
            "{} {} {} {} {} {}",
            naptr.order,
            naptr.preference,
            quote(&naptr.flags),
            quote(&naptr.services),
            quote(&naptr.regexp),
            naptr.replacement.to_ascii()
        ),
        RData::SSHFP(sshfp) => format!(
            "{} {} {}",
            u8::from(sshfp.algorithm),
            u8::from(sshfp.fingerprint_type),
            hex(&sshfp.fingerprint)
        ),
        other => other.to_string(),
    }
}

/// The form in which data of a type is compared: names canonical, addresses as their type writes them, character
/// strings quoted, numbers without leading zeros. Text that does not fit its type is kept (white space trimmed), so it equals only itself.
pub fn normalise_data(rtype: RecordType, data: &str) -> String {
    let data = data.trim();
    match rtype {
        RecordType::A => data.parse::<Ipv4Addr>().map_or_else(|_| data.to_owned(), |a| a.to_string()),
        RecordType::Aaaa => data.parse::<Ipv6Addr>().map_or_else(|_| data.to_owned(), |a| a.to_string()),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => canonical_name(data),
        RecordType::Txt => {
            let strings: Vec<String> = character_strings(data).iter().map(|s| quote(s)).collect();
            strings.join(" ")
        }
        RecordType::Mx => fields(data, &[Field::Number, Field::Name]),
        RecordType::Srv => fields(data, &[Field::Number, Field::Number, Field::Number, Field::Name]),
        RecordType::Soa => fields(
            data,
            &[
                Field::Name,
                Field::Name,
                Field::Number,
                Field::Number,
                Field::Number,
                Field::Number,
                Field::Number,
            ],
        ),
        RecordType::Caa => fields(data, &[Field::Number, Field::Word, Field::Text]),
        RecordType::Naptr => {
            fields(data, &[Field::Number, Field::Number, Field::Text, Field::Text, Field::Text, Field::Name])
        }
        RecordType::Sshfp => {
            let mut words = data.split_whitespace();
            let (Some(algorithm), Some(kind)) = (words.next(), words.next()) else {
                return data.to_owned();
            };
            let print: String = words.collect();
            format!("{algorithm} {kind} {}", print.to_ascii_lowercase())
        }
        RecordType::Other(_) => data.to_owned(),
    }
}

/// Whether two texts are the same data of a type.
pub fn same_data(rtype: RecordType, a: &str, b: &str) -> bool {
    normalise_data(rtype, a) == normalise_data(rtype, b)
}

#[derive(Clone, Copy)]
enum Field {
    Number,
    Name,
    Word,
    Text,
}

fn fields(data: &str, shape: &[Field]) -> String {
    let strings = character_strings(data);
    if strings.len() != shape.len() {
        return data.to_owned();
    }
    let normal: Vec<String> = shape
        .iter()
        .zip(&strings)
        .map(|(field, bytes)| {
            let text = || String::from_utf8_lossy(bytes).into_owned();
            match field {
                Field::Number => {
                    let text = text();
                    text.parse::<u64>().map_or(text, |n| n.to_string())
                }
                Field::Name => canonical_name(&text()),
                Field::Word => text().to_ascii_lowercase(),
                Field::Text => quote(bytes),
            }
        })
        .collect();
    normal.join(" ")
}

/// Splits as a zone file does (RFC 1035 section 5.1): white space separates, quotes hold together, a backslash escapes
/// one character or three decimal digits.
fn character_strings(text: &str) -> Vec<Vec<u8>> {
    let mut strings = Vec::new();
    let mut current: Option<Vec<u8>> = None;
    let mut quoted = false;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted => {
                quoted = false;
                strings.extend(current.take());
            }
            b'"' => {
                strings.extend(current.take());
                quoted = true;
                current = Some(Vec::new());
            }
            b' ' | b'\t' | b'\n' | b'\r' if !quoted => strings.extend(current.take()),
            b'\\' => {
                let mut value: u16 = 0;
                let mut digits = 0;
                while digits < 3
                    && let Some(digit) = bytes.peek().copied().filter(u8::is_ascii_digit)
                {
                    value = value * 10 + u16::from(digit - b'0');
                    digits += 1;
                    bytes.next();
                }
                let out = current.get_or_insert_with(Vec::new);
                match (digits, u8::try_from(value)) {
                    (0, _) => out.extend(bytes.next()),
                    (_, Ok(escaped)) => out.push(escaped),
                    (_, Err(_)) => out.push(b'?'),
                }
            }
            other => current.get_or_insert_with(Vec::new).push(other),
        }
    }
    strings.extend(current);
    strings
}

/// A character string in quotes; what is not printable ASCII is escaped.
fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            0x20..=0x7e => out.push(char::from(*byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\{other:03}");
            }
        }
    }
    out.push('"');
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::TXT;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(RecordType::A, "192.0.2.1 ", "192.0.2.1", true)]
    #[case(RecordType::A, "192.0.2.1", "192.0.2.10", false)]
    #[case(RecordType::Aaaa, "2001:DB8:0:0::1", "2001:db8::1", true)]
    #[case(RecordType::Ptr, "VM.example.org", "vm.example.org.", true)]
    #[case(RecordType::Mx, "010  MX.example.org.", "10 mx.example.org.", true)]
    #[case(RecordType::Mx, "10 mx.example.org.", "20 mx.example.org.", false)]
    #[case(RecordType::Srv, "1 2 53 Ns.example.", "1 2 53 ns.example.", true)]
    #[case(RecordType::Txt, "hello", "\"hello\"", true)]
    #[case(RecordType::Txt, "\"a\" \"b\"", "a b", true)]
    #[case(RecordType::Txt, "\"a b\"", "a b", false)]
    #[case(RecordType::Txt, "\"Hello\"", "\"hello\"", false)]
    #[case(RecordType::Txt, r#""a\"b""#, r#"a\"b"#, true)]
    #[case(RecordType::Txt, r#""\195\164""#, "\"ä\"", true)]
    #[case(RecordType::Caa, "0 ISSUE \"ca.example\"", "0 issue ca.example", true)]
    #[case(RecordType::Sshfp, "1 1 AB cd", "1 1 abcd", true)]
    #[case(
        RecordType::Naptr,
        "100 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.Example.",
        "100 50 s SIP+D2U \"\" _sip._udp.example.",
        true
    )]
    fn compares_by_meaning(#[case] rtype: RecordType, #[case] a: &str, #[case] b: &str, #[case] equal: bool) {
        assert_eq!(same_data(rtype, a, b), equal);
    }

    #[test]
    fn txt_is_shown_string_by_string() {
        let txt = RData::TXT(TXT::from_bytes(vec![b"v=spf1 -all", b"q\"\\\x07"]));
        assert_eq!(present(&txt), r#""v=spf1 -all" "q\"\\\007""#);
    }

    proptest! {
        #[test]
        fn quoting_is_undone_by_splitting(strings in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..40), 0..4,
        )) {
            let text: Vec<String> = strings.iter().map(|s| quote(s)).collect();
            prop_assert_eq!(character_strings(&text.join(" ")), strings);
        }

        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,60}", code in prop::sample::select(vec![1_u16, 5, 6, 15, 16, 28, 33, 35, 44, 257, 999])) {
            let rtype = RecordType::from_code(code);
            // A quote within a name or number is no data at all, and is not read as such twice.
            prop_assume!(rtype == RecordType::Txt || !text.contains(['"', '\\']));
            let once = normalise_data(rtype, &text);
            prop_assert_eq!(normalise_data(rtype, &once), once.clone());
        }
    }
}
