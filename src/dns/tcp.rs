//! A connection for one question: a length, a message, a length, a message (RFC 1035 section 4.2.2).

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::answer::{Question, Transport};
use super::error::DnsError;
use super::wire::{Decoded, Reply, decode};

/// Connects, asks and reads one message; the flag says whether even this answer had the TC bit.
pub(super) async fn exchange(
    server: SocketAddr,
    query: &[u8],
    id: u16,
    question: &Question,
    deadline: Instant,
) -> Result<(Decoded, bool), DnsError> {
    let started = Instant::now();
    let bytes = match timeout_at(deadline, talk(server, query)).await {
        Ok(talked) => talked.map_err(|error| DnsError::from_io(server, Transport::Tcp, error))?,
        Err(_) => {
            return Err(DnsError::Timeout {
                server,
                transport: Transport::Tcp,
                waited: started.elapsed(),
                datagrams: 1,
                oddity: None,
            });
        }
    };
    let reason = match decode(&bytes, id, question) {
        Reply::Whole(decoded) => return Ok((decoded, false)),
        Reply::Truncated(Some(decoded)) => return Ok((decoded, true)),
        Reply::Truncated(None) => "a message cut in the middle".to_owned(),
        Reply::Other(what) => what,
    };
    Err(DnsError::NotAnAnswer { server, transport: Transport::Tcp, reason })
}

async fn talk(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    let mut framed = Vec::with_capacity(query.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(query);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut message = vec![0_u8; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}
