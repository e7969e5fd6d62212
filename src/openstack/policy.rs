//! Which addresses may be spoken to. A Secret's author chooses the cloud's address, so it is checked: an operator must
//! not be turned into a way to the node's metadata service or to the cluster's own API.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, such as `10.96.0.0/12` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Whether the address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                base.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                base.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Cidr {
    /// The range of one address.
    fn from(base: IpAddr) -> Self {
        Self { base, bits: if base.is_ipv4() { 32 } else { 128 } }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl FromStr for Cidr {
    type Err = String;

    /// Reads `address/bits`; a bare address is the range of itself.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is not an address range");
        let (base, bits) = match text.trim().split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text.trim(), None),
        };
        let base: IpAddr = base.parse().map_err(|_| bad())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).ok().filter(|bits| *bits <= most).ok_or_else(bad)?;
        Ok(Self { base, bits })
    }
}

/// The one metadata service that is not link-local
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>).
const METADATA: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));

/// Which addresses may be spoken to. Link-local, multicast and broadcast addresses never; loopback and the unspecified
/// address (which connects to this machine) only when allowed; the given ranges never.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointPolicy {
    /// Whether this machine itself may be spoken to.
    pub allow_loopback: bool,
    /// Further ranges that are denied (the cluster's own API, services and pods).
    pub denied: Vec<Cidr>,
}

/// An address that may not be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {why}")]
pub struct PolicyViolation {
    /// The address.
    pub address: IpAddr,
    /// What is wrong with it.
    pub why: String,
}

impl EndpointPolicy {
    /// A policy that allows this machine: for the command line and for tests.
    pub fn allowing_loopback() -> Self {
        Self { allow_loopback: true, ..Self::default() }
    }

    /// Checks one address. An IPv4 address dressed as IPv6 (mapped, or behind the well-known NAT64 prefix) is checked as
    /// what it is.
    ///
    /// # Errors
    /// The violation.
    pub fn check(&self, address: IpAddr) -> Result<(), PolicyViolation> {
        let violation = |why: &str| Err(PolicyViolation { address, why: why.to_owned() });
        let plain = undress(address);
        let link_local = match plain {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        if link_local {
            return violation("a link-local address");
        }
        if plain == METADATA {
            return violation("the address of a metadata service");
        }
        if plain.is_multicast() || plain == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return violation("not an address of one host");
        }
        if !self.allow_loopback && (plain.is_loopback() || plain.is_unspecified()) {
            return violation("this machine's own address, which is not allowed here");
        }
        match self.denied.iter().find(|range| range.contains(plain) || range.contains(address)) {
            Some(range) => violation(&format!("in the denied range {range}")),
            None => Ok(()),
        }
    }
}

fn undress(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let translated = Cidr { base: IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0)), bits: 96 };
    if translated.contains(address) {
        let [.., a, b, c, d] = v6.octets();
        return Ipv4Addr::new(a, b, c, d).into();
    }
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("203.0.113.5", true, true)]
    #[case("10.0.0.5", true, true)]
    #[case("169.254.169.254", false, false)]
    #[case("::ffff:169.254.169.254", false, false)]
    #[case("64:ff9b::a9fe:a9fe", false, false)]
    #[case("fe80::1", false, false)]
    #[case("127.0.0.1", false, true)]
    #[case("127.8.8.8", false, true)]
    #[case("::ffff:127.0.0.1", false, true)]
    #[case("::1", false, true)]
    #[case("0.0.0.0", false, true)]
    #[case("::", false, true)]
    #[case("fd00:ec2::254", false, false)]
    #[case("fd00:ec2::255", true, true)]
    #[case("224.0.0.251", false, false)]
    #[case("255.255.255.255", false, false)]
    #[case("ff02::1", false, false)]
    #[case("10.96.0.1", false, false)]
    #[case("::ffff:10.96.0.1", false, false)]
    #[case("fd00:10:96::1", false, false)]
    fn addresses(#[case] address: &str, #[case] strict: bool, #[case] local: bool) {
        let denied = vec!["10.96.0.0/12".parse().unwrap(), "fd00:10:96::/112".parse().unwrap()];
        let address = address.parse().unwrap();
        for (allow_loopback, wanted) in [(false, strict), (true, local)] {
            let policy = EndpointPolicy { allow_loopback, denied: denied.clone() };
            assert_eq!(policy.check(address).is_ok(), wanted, "{address}");
        }
    }

    #[rstest]
    #[case("0.0.0.0/0", "8.8.8.8", true)]
    #[case("192.0.2.1", "192.0.2.1", true)]
    #[case("192.0.2.1", "192.0.2.2", false)]
    #[case("::/0", "192.0.2.2", false)]
    fn ranges(#[case] range: &str, #[case] address: &str, #[case] inside: bool) {
        let range: Cidr = range.parse().unwrap();
        assert_eq!(range.contains(address.parse().unwrap()), inside);
    }

    #[test]
    fn bad_ranges_are_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "x/8", "10.0.0.0/"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }
}
