//! Record types, by the names that zone files use.

use std::fmt;
use std::str::FromStr;

use hickory_proto::rr::RecordType as Wire;

use super::error::DnsError;

/// The type of a resource record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it all
pub enum RecordType {
    A,
    Aaaa,
    Caa,
    Cname,
    Mx,
    Naptr,
    Ns,
    Ptr,
    Soa,
    Srv,
    Sshfp,
    Txt,
    /// Any other type, by its number.
    Other(u16),
}

impl RecordType {
    const NAMED: [(Self, &'static str, u16); 12] = [
        (Self::A, "A", 1),
        (Self::Ns, "NS", 2),
        (Self::Cname, "CNAME", 5),
        (Self::Soa, "SOA", 6),
        (Self::Ptr, "PTR", 12),
        (Self::Mx, "MX", 15),
        (Self::Txt, "TXT", 16),
        (Self::Aaaa, "AAAA", 28),
        (Self::Srv, "SRV", 33),
        (Self::Naptr, "NAPTR", 35),
        (Self::Sshfp, "SSHFP", 44),
        (Self::Caa, "CAA", 257),
    ];

    /// The type's number (IANA).
    pub fn code(self) -> u16 {
        match self {
            Self::Other(code) => code,
            _ => Self::NAMED.iter().find(|(named, _, _)| *named == self).map_or(0, |(_, _, code)| *code),
        }
    }

    /// The type with this number.
    pub fn from_code(code: u16) -> Self {
        Self::NAMED
            .iter()
            .find(|(_, _, named)| *named == code)
            .map_or(Self::Other(code), |(named, _, _)| *named)
    }

    pub(super) fn to_wire(self) -> Wire {
        Wire::from(self.code())
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "TYPE{code}"),
            _ => f.write_str(
                Self::NAMED.iter().find(|(named, _, _)| named == self).map_or("?", |(_, name, _)| name),
            ),
        }
    }
}

impl FromStr for RecordType {
    type Err = DnsError;

    /// Reads a type's name in any case, or `TYPE123` (RFC 3597).
    fn from_str(text: &str) -> Result<Self, DnsError> {
        let upper = text.trim().to_ascii_uppercase();
        if let Some((named, _, _)) = Self::NAMED.iter().find(|(_, name, _)| *name == upper) {
            return Ok(*named);
        }
        upper
            .strip_prefix("TYPE")
            .and_then(|code| code.parse().ok())
            .map(Self::from_code)
            .ok_or_else(|| DnsError::InvalidType(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips() {
        for (named, name, code) in RecordType::NAMED {
            assert_eq!(name.parse::<RecordType>().unwrap(), named);
            assert_eq!(name.to_ascii_lowercase().parse::<RecordType>().unwrap(), named);
            assert_eq!(RecordType::from_code(code), named);
            assert_eq!(named.to_string(), name);
            assert_eq!(named.code(), code);
        }
    }

    #[test]
    fn unknown_types_go_by_number() {
        assert_eq!("TYPE99".parse::<RecordType>().unwrap(), RecordType::Other(99));
        assert_eq!("type1".parse::<RecordType>().unwrap(), RecordType::A);
        assert_eq!(RecordType::Other(99).to_string(), "TYPE99");
        assert!("WKSX".parse::<RecordType>().is_err());
    }
}
