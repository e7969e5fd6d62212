//! One DNS question to one given name server, the answer kept with its header and evidence.
//!
//! Nothing here resolves, follows, caches or guesses: [`ask()`] sends one question to one address with the
//! recursion bit off and gives back what that server said. What an answer means (present, absent, not hosted,
//! an error) is judged by the pure functions of [`judge`](crate::dns::judge_absence).

mod answer;
mod ask;
mod data;
mod error;
mod judge;
mod name;
mod nameserver;
mod rtype;
mod serial;
mod tcp;
mod udp;
mod wire;

pub use answer::{Answer, Question, Rcode, Record, Transport};
pub use ask::ask;
pub use data::{normalise_data, same_data};
pub use error::DnsError;
pub use judge::{Absence, Mismatch, judge_absence, judge_presence, soa_serial};
pub use name::{canonical_name, names_equal, reverse_name};
pub use nameserver::{NameServer, NameServerSpec};
pub use rtype::RecordType;
pub use serial::Serial;
