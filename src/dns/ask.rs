//! The one way to ask.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, Question, Transport};
use super::error::DnsError;
use super::wire::{Decoded, encode};
use super::{tcp, udp};

/// Asks one server one question and gives back what it said, whatever that was.
///
/// Over UDP the question is sent up to three times within `timeout`; what arrives with another id, about another
/// question or malformed is ignored (and told if nothing better comes). An answer cut short (TC) is fetched over TCP
/// in the time that remains. The recursion bit is off: only what the server itself knows counts.
///
/// # Errors
/// [`DnsError`] when there is no answer at all; SERVFAIL, REFUSED and the like *are* answers.
pub async fn ask(
    server: SocketAddr,
    question: &Question,
    transport: Transport,
    timeout: Duration,
) -> Result<Answer, DnsError> {
    let started = Instant::now();
    let deadline = started + timeout;
    let id = rand::random::<u16>();
    let bytes = encode(id, question)?;
    let (decoded, truncated, transport) = match transport {
        Transport::Udp => {
            let whole = udp::exchange(server, &bytes, id, question, deadline).await?;
            if let Some(decoded) = whole {
                (decoded, false, Transport::Udp)
            } else {
                let (decoded, _) = tcp::exchange(server, &bytes, id, question, deadline).await?;
                (decoded, true, Transport::Tcp)
            }
        }
        Transport::Tcp => {
            let (decoded, truncated) = tcp::exchange(server, &bytes, id, question, deadline).await?;
            (decoded, truncated, Transport::Tcp)
        }
    };
    let Decoded { rcode, authoritative, answers, authority, edns_udp_size } = decoded;
    Ok(Answer {
        rcode,
        authoritative,
        truncated,
        transport,
        answers,
        authority,
        edns_udp_size,
        elapsed: started.elapsed(),
    })
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
