//! `ask` against name servers that behave oddly, each on its own loopback socket.

// The behaviours share one signature, which some of them do not use up.
#![allow(clippy::needless_pass_by_value)]

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record as WireRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use super::*;
use crate::dns::{Rcode, RecordType};

const SHORT: Duration = Duration::from_millis(600);

/// What a test's server does with one query (and its number): the messages to send back.
type Behaviour = fn(Message, u32) -> Vec<Vec<u8>>;

struct Server {
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(udp: Behaviour, tcp: Behaviour) -> Server {
    let (listener, socket) = loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            break (listener, socket);
        }
    };
    let address = listener.local_addr().unwrap();
    let datagrams = tokio::spawn(async move {
        let mut buffer = [0_u8; 4096];
        let mut count = 0;
        loop {
            let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
            count += 1;
            let query = Message::from_vec(&buffer[..length]).unwrap();
            for reply in udp(query, count) {
                socket.send_to(&reply, peer).await.unwrap();
            }
        }
    });
    let connections = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut query = vec![0_u8; usize::from(length)];
            stream.read_exact(&mut query).await.unwrap();
            for reply in tcp(Message::from_vec(&query).unwrap(), 1) {
                let length = u16::try_from(reply.len()).unwrap();
                stream.write_u16(length).await.unwrap();
                stream.write_all(&reply).await.unwrap();
            }
        }
    });
    Server { address, tasks: vec![datagrams, connections] }
}

fn answered(mut query: Message) -> Message {
    assert!(!query.metadata.recursion_desired);
    let name = query.queries[0].name().clone();
    query.metadata.message_type = MessageType::Response;
    query.metadata.authoritative = true;
    query.add_answer(WireRecord::from_rdata(name, 60, RData::A(A("192.0.2.7".parse().unwrap()))));
    query
}

fn good(query: Message, _: u32) -> Vec<Vec<u8>> {
    vec![answered(query).to_vec().unwrap()]
}

fn silent(_: Message, _: u32) -> Vec<Vec<u8>> {
    vec![]
}

fn truncated(mut query: Message, _: u32) -> Vec<Vec<u8>> {
    query.metadata.message_type = MessageType::Response;
    query.metadata.truncation = true;
    vec![query.to_vec().unwrap()]
}

fn cut_in_the_middle(query: Message, _: u32) -> Vec<Vec<u8>> {
    let mut query = answered(query);
    query.metadata.truncation = true;
    let mut bytes = query.to_vec().unwrap();
    bytes.truncate(bytes.len() - 14);
    vec![bytes]
}

fn wrong_id(query: Message, _: u32) -> Vec<Vec<u8>> {
    let mut answer = answered(query);
    answer.metadata.id = answer.metadata.id.wrapping_add(1);
    vec![answer.to_vec().unwrap()]
}

fn wrong_question(query: Message, _: u32) -> Vec<Vec<u8>> {
    let mut answer = answered(query);
    answer.queries[0].set_name(Name::from_ascii("other.example.").unwrap());
    vec![answer.to_vec().unwrap()]
}

fn garbage(query: Message, _: u32) -> Vec<Vec<u8>> {
    let [a, b] = query.metadata.id.to_be_bytes();
    vec![vec![1, 2, 3], vec![a, b, 0x80, 0, 0, 9, 0, 9, 0, 0, 0, 0, 0xc0, 0xff]]
}

fn question_sent_back(query: Message, _: u32) -> Vec<Vec<u8>> {
    vec![query.to_vec().unwrap()]
}

fn garbage_then_good(query: Message, _: u32) -> Vec<Vec<u8>> {
    let mut all = garbage(query.clone(), 1);
    all.extend(wrong_id(query.clone(), 1));
    all.extend(good(query, 1));
    all
}

fn second_try(query: Message, count: u32) -> Vec<Vec<u8>> {
    if count == 2 { good(query, 1) } else { vec![] }
}

fn servfail(mut query: Message, _: u32) -> Vec<Vec<u8>> {
    query.metadata.message_type = MessageType::Response;
    query.metadata.response_code = ResponseCode::ServFail;
    vec![query.to_vec().unwrap()]
}

fn shouting(query: Message, _: u32) -> Vec<Vec<u8>> {
    let mut answer = answered(query);
    answer.queries[0].set_name(Name::from_ascii("WWW.EXAMPLE.ORG.").unwrap());
    vec![answer.to_vec().unwrap()]
}

fn www() -> Question {
    Question::new("www.example.org", RecordType::A)
}

#[tokio::test]
async fn both_transports_bring_the_answer_with_its_header() {
    let server = serve(good, good).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = ask(server.address, &www(), transport, SHORT).await.unwrap();
        assert_eq!(answer.rcode, Rcode::NOERROR);
        assert!(answer.authoritative && !answer.truncated);
        assert_eq!(answer.transport, transport);
        assert_eq!(answer.edns_udp_size, Some(1232));
        assert_eq!(answer.answers[0].to_string(), "www.example.org. 60 IN A 192.0.2.7");
    }
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp() {
    for behaviour in [truncated as Behaviour, cut_in_the_middle] {
        let server = serve(behaviour, good).await;
        let answer = ask(server.address, &www(), Transport::Udp, SHORT).await.unwrap();
        assert!(answer.truncated);
        assert_eq!(answer.transport, Transport::Tcp);
        assert_eq!(answer.answers.len(), 1);
    }
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again() {
    let server = serve(second_try, silent).await;
    let answer = ask(server.address, &www(), Transport::Udp, SHORT).await.unwrap();
    assert_eq!(answer.answers.len(), 1);
}

#[tokio::test]
async fn what_is_not_the_answer_is_ignored_until_the_answer_comes() {
    for behaviour in [garbage_then_good as Behaviour, shouting] {
        let server = serve(behaviour, silent).await;
        let answer = ask(server.address, &www(), Transport::Udp, SHORT).await.unwrap();
        assert_eq!(answer.answers.len(), 1);
    }
}

#[tokio::test]
async fn silence_and_oddities_are_timeouts_that_say_what_was_heard() {
    let cases: [(Behaviour, Option<&str>); 5] = [
        (silent, None),
        (wrong_id, Some("wrong id")),
        (wrong_question, Some("another question (other.example. A)")),
        (garbage, Some("malformed")),
        (question_sent_back, Some("no answer to a query")),
    ];
    for (behaviour, heard) in cases {
        let server = serve(behaviour, silent).await;
        let error = ask(server.address, &www(), Transport::Udp, Duration::from_millis(90)).await.unwrap_err();
        assert!(error.is_timeout());
        let text = error.to_string();
        assert!(text.contains("(3 sent)"), "{text}");
        assert_eq!(text.contains("ignored"), heard.is_some(), "{text}");
        assert!(text.contains(heard.unwrap_or_default()), "{text}");
    }
}

#[tokio::test]
async fn over_tcp_a_wrong_answer_is_an_error_at_once() {
    for behaviour in [wrong_id as Behaviour, wrong_question, garbage] {
        let server = serve(silent, behaviour).await;
        let error = ask(server.address, &www(), Transport::Tcp, SHORT).await.unwrap_err();
        assert!(matches!(error, DnsError::NotAnAnswer { .. }), "{error}");
    }
    let server = serve(silent, silent).await;
    let error = ask(server.address, &www(), Transport::Tcp, SHORT).await.unwrap_err();
    assert!(matches!(error, DnsError::Io { .. }), "{error}");
}

#[tokio::test]
async fn a_failing_server_is_an_answer() {
    let server = serve(servfail, servfail).await;
    let answer = ask(server.address, &www(), Transport::Udp, SHORT).await.unwrap();
    assert_eq!(answer.rcode, Rcode::SERVFAIL);
    assert_eq!(answer.to_string(), "SERVFAIL over UDP, no answer");
}

#[tokio::test]
async fn a_closed_port_is_told_from_silence() {
    let closed = {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.local_addr().unwrap()
    };
    for transport in [Transport::Udp, Transport::Tcp] {
        let error = ask(closed, &www(), transport, SHORT).await.unwrap_err();
        assert!(matches!(error, DnsError::ConnectionRefused { .. }), "{error}");
    }
}
