//! What can go wrong between a question and its answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::answer::Transport;

/// Why there is no answer. An answer with an unpleasant code (SERVFAIL, REFUSED) is *not* an error here: it is an
/// [`Answer`](super::Answer).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsError {
    /// The question's name cannot be put into a DNS message.
    #[error("{name:?} is not a domain name: {reason}")]
    InvalidName {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record type that is not known by name.
    #[error("{0:?} is not a known record type")]
    InvalidType(String),
    /// A name server that cannot be read as `host`, `host:port`, `ip` or `[v6]:port`.
    #[error("{text:?} is not a name server: {reason}")]
    InvalidServer {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name server's own name has no address.
    #[error("the address of name server {host:?} is not known")]
    Unresolved {
        /// The host that was looked up.
        host: String,
        /// The system resolver's error, if it gave one.
        source: Option<io::Error>,
    },
    /// Nothing listens there: the port answered with a TCP reset or an ICMP port unreachable.
    #[error("{server} refused the connection over {transport}")]
    ConnectionRefused {
        /// Who was asked.
        server: SocketAddr,
        /// How it was asked.
        transport: Transport,
    },
    /// The network said that the server cannot be reached.
    #[error("{server} cannot be reached over {transport}")]
    Unreachable {
        /// Who was asked.
        server: SocketAddr,
        /// How it was asked.
        transport: Transport,
        /// The system's error.
        source: io::Error,
    },
    /// No usable answer within the time.
    #[error("{server} did not answer over {transport} within {waited:?} ({datagrams} sent){}", heard(.oddity.as_deref()))]
    Timeout {
        /// Who was asked.
        server: SocketAddr,
        /// How it was asked.
        transport: Transport,
        /// How long was waited.
        waited: Duration,
        /// How many messages were sent.
        datagrams: u32,
        /// What came instead of an answer and was not accepted (wrong id, wrong question, garbage), if anything.
        oddity: Option<String>,
    },
    /// The server answered over TCP with something that is not an answer to the question.
    #[error("{server} answered wrongly over {transport}: {reason}")]
    NotAnAnswer {
        /// Who was asked.
        server: SocketAddr,
        /// How it was asked.
        transport: Transport,
        /// What is wrong with it.
        reason: String,
    },
    /// Any other trouble with the socket.
    #[error("the exchange with {server} over {transport} broke")]
    Io {
        /// Who was asked.
        server: SocketAddr,
        /// How it was asked.
        transport: Transport,
        /// The system's error.
        source: io::Error,
    },
}

impl DnsError {
    /// Sorts a socket's error: refused, unreachable or something else.
    pub(super) fn from_io(server: SocketAddr, transport: Transport, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused { server, transport },
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => Self::Unreachable { server, transport, source },
            _ => Self::Io { server, transport, source },
        }
    }

    /// Whether the server stayed silent (as against refused, unreachable or wrong).
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// Whether asking again later may help: everything but a question or a server that cannot be right.
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::InvalidName { .. } | Self::InvalidType(_) | Self::InvalidServer { .. })
    }
}

fn heard(oddity: Option<&str>) -> String {
    oddity.map_or_else(String::new, |oddity| format!("; ignored {oddity}"))
}
