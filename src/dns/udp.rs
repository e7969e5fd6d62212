//! Datagrams: a few tries, and everything that is not the answer is ignored.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::answer::{Question, Transport};
use super::error::DnsError;
use super::wire::{Decoded, Reply, decode};

/// How many datagrams carry the question at most.
const TRIES: u32 = 3;

/// Sends and listens until the deadline. `Ok(None)` means truncated: ask again over TCP.
///
/// One socket (and so one random port) and one id serve all tries, so that a late answer to the first datagram counts.
pub(super) async fn exchange(
    server: SocketAddr,
    query: &[u8],
    id: u16,
    question: &Question,
    deadline: Instant,
) -> Result<Option<Decoded>, DnsError> {
    let broken = |error| DnsError::from_io(server, Transport::Udp, error);
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(broken)?;
    // Connected: the kernel drops what others send, and reports an ICMP "port unreachable".
    socket.connect(server).await.map_err(broken)?;

    let started = Instant::now();
    let slice = deadline.saturating_duration_since(started) / TRIES;
    let mut buffer = vec![0_u8; usize::from(u16::MAX)];
    let mut oddity = None;
    for attempt in 1..=TRIES {
        socket.send(query).await.map_err(broken)?;
        let until = if attempt == TRIES { deadline } else { started + slice * attempt };
        while let Ok(received) = timeout_at(until, socket.recv(&mut buffer)).await {
            let length = received.map_err(broken)?;
            match decode(&buffer[..length], id, question) {
                Reply::Whole(decoded) => return Ok(Some(decoded)),
                Reply::Truncated(_) => return Ok(None),
                Reply::Other(what) => oddity = Some(what),
            }
        }
    }
    Err(DnsError::Timeout {
        server,
        transport: Transport::Udp,
        waited: started.elapsed(),
        datagrams: TRIES,
        oddity,
    })
}
