//! A question, and what one server said to it.

use std::fmt;
use std::time::Duration;

use super::name::canonical_name;
use super::rtype::RecordType;

/// What is asked: one name and one type, class IN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name, canonical (lower case, dot at the end).
    pub name: String,
    /// The type.
    pub rtype: RecordType,
}

impl Question {
    /// A question about `name`, which is made canonical; whether it is a name at all is found when asking.
    pub fn new(name: &str, rtype: RecordType) -> Self {
        Self { name: canonical_name(name), rtype }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)
    }
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// A response code, extended by EDNS where the server sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rcode(pub u16);

impl Rcode {
    /// The question was answered (perhaps with nothing).
    pub const NOERROR: Self = Self(0);
    /// The server did not understand the question.
    pub const FORMERR: Self = Self(1);
    /// The server failed.
    pub const SERVFAIL: Self = Self(2);
    /// The name does not exist.
    pub const NXDOMAIN: Self = Self(3);
    /// The server does not do this.
    pub const NOTIMP: Self = Self(4);
    /// The server does not want to answer; of an authoritative server: the zone is not hosted here.
    pub const REFUSED: Self = Self(5);
    /// The server is not authoritative for the zone.
    pub const NOTAUTH: Self = Self(9);
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "NOERROR",
            1 => "FORMERR",
            2 => "SERVFAIL",
            3 => "NXDOMAIN",
            4 => "NOTIMP",
            5 => "REFUSED",
            6 => "YXDOMAIN",
            7 => "YXRRSET",
            8 => "NXRRSET",
            9 => "NOTAUTH",
            10 => "NOTZONE",
            16 => "BADVERS",
            other => return write!(f, "RCODE{other}"),
        })
    }
}

/// One resource record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The owner, as the server wrote it (its case kept).
    pub name: String,
    /// Seconds that a cache may keep it.
    pub ttl: u32,
    /// The type.
    pub rtype: RecordType,
    /// The data in presentation format, as a zone file has it.
    pub data: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} IN {} {}", self.name, self.ttl, self.rtype, self.data)
    }
}

/// What one server said to one question, header and evidence included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The response code.
    pub rcode: Rcode,
    /// The AA bit: the server claims authority for the name.
    pub authoritative: bool,
    /// The UDP answer had the TC bit, so the question was asked again over TCP; of a TCP answer: it had the bit.
    pub truncated: bool,
    /// How the answer that is shown here travelled.
    pub transport: Transport,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authority: Vec<Record>,
    /// The largest UDP message that the server accepts, if it spoke EDNS.
    pub edns_udp_size: Option<u16>,
    /// From the first message sent to the answer received.
    pub elapsed: Duration,
}

impl fmt::Display for Answer {
    /// One line of evidence: the header, then the answers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rcode)?;
        if self.authoritative {
            f.write_str(" aa")?;
        }
        if self.truncated {
            f.write_str(" tc")?;
        }
        write!(f, " over {}", self.transport)?;
        if self.answers.is_empty() {
            f.write_str(", no answer")?;
        }
        for (index, record) in self.answers.iter().enumerate() {
            write!(f, "{} {record}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}
