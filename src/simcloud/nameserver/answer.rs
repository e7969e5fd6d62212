//! One question answered from one server's copies, as an authoritative server does.

use std::sync::Arc;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, ResponseCode},
    rr::{DNSClass, Name, Record, RecordType},
};

use super::{Copies, RecordData, ZoneCopy};
use crate::simcloud::{designate::parse_record, faults::NameServerMode};

/// How the question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simcloud) enum Transport {
    Udp,
    Tcp,
}

/// What UDP carries without EDNS.
const PLAIN_UDP: usize = 512;
/// What this server takes and sends at most over UDP.
const OUR_UDP: u16 = 1232;
/// How far CNAMEs are followed.
const CHAIN: usize = 8;

/// The bytes to send back, or nothing where the server stays silent.
pub(in crate::simcloud) fn answer(
    copies: &Copies,
    server: usize,
    mode: Option<NameServerMode>,
    transport: Transport,
    question: &[u8],
) -> Option<Vec<u8>> {
    match (mode, transport) {
        (Some(NameServerMode::Stopped | NameServerMode::Silent), _)
        | (Some(NameServerMode::UdpOnly), Transport::Tcp)
        | (Some(NameServerMode::TcpOnly), Transport::Udp) => return None,
        _ => {}
    }
    let question = Message::from_vec(question).ok()?;
    if question.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
    reply.metadata.recursion_desired = question.metadata.recursion_desired;
    reply.add_queries(question.queries.iter().cloned());
    let mut room = PLAIN_UDP;
    if let Some(edns) = &question.edns {
        room = usize::from(edns.max_payload().clamp(512, OUR_UDP));
        let mut own = Edns::new();
        own.set_max_payload(OUR_UDP);
        own.set_version(0);
        reply.set_edns(own);
    }
    if question.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        reply.metadata.response_code = ResponseCode::BADVERS;
    } else {
        fill(copies, server, mode, &question, &mut reply);
    }
    if mode == Some(NameServerMode::NotAuthoritative) {
        reply.metadata.authoritative = false;
    }
    let bytes = reply.to_vec().ok()?;
    let cut = transport == Transport::Udp && (bytes.len() > room || mode == Some(NameServerMode::Truncating));
    if cut { reply.truncate().to_vec().ok() } else { Some(bytes) }
}

fn fill(
    copies: &Copies,
    server: usize,
    mode: Option<NameServerMode>,
    question: &Message,
    reply: &mut Message,
) {
    let code = match (mode, question.metadata.op_code) {
        (Some(NameServerMode::ServFail), _) => Some(ResponseCode::ServFail),
        (Some(NameServerMode::Refused), _) => Some(ResponseCode::Refused),
        (_, OpCode::Query) => None,
        _ => Some(ResponseCode::NotImp),
    };
    if let Some(code) = code {
        reply.metadata.response_code = code;
        return;
    }
    let [query] = question.queries.as_slice() else {
        reply.metadata.response_code = ResponseCode::FormErr;
        return;
    };
    // Zone transfers go to nobody, and there is no class but IN.
    let transfer = matches!(query.query_type, RecordType::AXFR | RecordType::IXFR);
    if transfer || query.query_class != DNSClass::IN {
        reply.metadata.response_code = ResponseCode::Refused;
        return;
    }
    let name = fqdn(&query.name);
    match copies.zone_of(server, &name) {
        Some(zone) => from_zone(&zone, &query.name, &name, query.query_type, reply),
        None => reply.metadata.response_code = ResponseCode::Refused,
    }
}

fn fqdn(name: &Name) -> String {
    let mut text = name.to_lowercase().to_ascii();
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

fn from_zone(zone: &Arc<ZoneCopy>, asked: &Name, name: &str, kind: RecordType, reply: &mut Message) {
    if let Some((owner, cut)) = delegation(zone, name, kind) {
        for record in records(&owner, cut) {
            reply.add_authority(record);
        }
        return;
    }
    reply.metadata.authoritative = true;
    let mut owner = asked.clone();
    let mut current = name.to_owned();
    for _ in 0..CHAIN {
        let Some(sets) = sets_at(zone, &current) else {
            if has_descendants(zone, &current) || !reply.answers.is_empty() {
                break;
            }
            reply.metadata.response_code = ResponseCode::NXDomain;
            break;
        };
        let wanted = kind.to_string();
        let found = sets.iter().filter(|set| kind == RecordType::ANY || set.kind == wanted);
        let before = reply.answers.len();
        for set in found {
            for record in records(&owner, set) {
                reply.add_answer(record);
            }
        }
        if reply.answers.len() > before || kind == RecordType::CNAME {
            break;
        }
        let Some(alias) = sets.iter().find(|set| set.kind == "CNAME") else {
            break;
        };
        for record in records(&owner, alias) {
            reply.add_answer(record);
        }
        let Some(target) = alias.records.first() else {
            break;
        };
        current = target.to_ascii_lowercase();
        let Ok(next) = Name::from_ascii(&current) else {
            break;
        };
        owner = next;
        if !current.ends_with(&zone.origin) {
            break;
        }
    }
    if reply.answers.is_empty() {
        negative(zone, reply);
    }
}

/// The SOA that says how long an absence may be remembered.
fn negative(zone: &ZoneCopy, reply: &mut Message) {
    let apex = zone.names.get(&zone.origin);
    let soa = apex.and_then(|sets| sets.iter().find(|set| set.kind == "SOA"));
    let (Some(soa), Ok(origin)) = (soa, Name::from_ascii(&zone.origin)) else {
        return;
    };
    let minimum = soa.records.first().and_then(|data| data.rsplit(' ').next()?.parse().ok());
    let ttl = minimum.map_or(soa.ttl, |minimum: u32| minimum.min(soa.ttl));
    let soa = RecordData { ttl, ..soa.clone() };
    for record in records(&origin, &soa) {
        reply.add_authority(record);
    }
}

/// The sets at a name, or those of the wildcard that covers it.
fn sets_at<'a>(zone: &'a ZoneCopy, name: &str) -> Option<&'a Vec<RecordData>> {
    if let Some(sets) = zone.names.get(name) {
        return Some(sets);
    }
    if has_descendants(zone, name) {
        return None;
    }
    let mut encloser = name.split_once('.')?.1;
    while encloser.len() >= zone.origin.len() {
        if let Some(sets) = zone.names.get(&format!("*.{encloser}")) {
            return Some(sets);
        }
        // A wildcard does not reach past a name that exists.
        if zone.names.contains_key(encloser) || has_descendants(zone, encloser) {
            return None;
        }
        encloser = encloser.split_once('.')?.1;
    }
    None
}

fn has_descendants(zone: &ZoneCopy, name: &str) -> bool {
    let suffix = format!(".{name}");
    zone.names.keys().any(|other| other.ends_with(&suffix))
}

/// The NS records below the apex that hand the name to other servers.
fn delegation<'a>(zone: &'a ZoneCopy, name: &str, kind: RecordType) -> Option<(Name, &'a RecordData)> {
    let mut at = name;
    while at.len() > zone.origin.len() {
        let ns = zone.names.get(at).and_then(|sets| sets.iter().find(|set| set.kind == "NS"));
        if let Some(ns) = ns
            && !(at == name && kind == RecordType::DS)
        {
            return Name::from_ascii(at).ok().map(|owner| (owner, ns));
        }
        at = at.split_once('.')?.1;
    }
    None
}

fn records(owner: &Name, set: &RecordData) -> Vec<Record> {
    set.records
        .iter()
        .filter_map(|data| parse_record(&set.kind, data))
        .map(|data| Record::from_rdata(owner.clone(), set.ttl, data))
        .collect()
}
