//! Domain names as text: canonical form, comparison, and the names of reverse look-ups.

use std::fmt::Write as _;
use std::net::IpAddr;

/// The form in which names are compared: lower case (ASCII only, as DNS does) with exactly one dot at the end.
pub fn canonical_name(name: &str) -> String {
    let mut canonical = name.trim().to_ascii_lowercase();
    if !canonical.ends_with('.') {
        canonical.push('.');
    }
    canonical
}

/// Whether two texts are the same domain name: case and the dot at the end do not matter.
pub fn names_equal(a: &str, b: &str) -> bool {
    let strip = |name: &'_ str| -> usize { name.strip_suffix('.').unwrap_or(name).len() };
    let (a, b) = (a.trim(), b.trim());
    a[..strip(a)].eq_ignore_ascii_case(&b[..strip(b)])
}

/// The owner name of an address's PTR record, with the dot at the end: octets under `in-addr.arpa.` (RFC 1035
/// section 3.5), 32 nibbles under `ip6.arpa.` (RFC 3596 section 2.5).
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(v6) => {
            let mut name = String::with_capacity(73);
            for octet in v6.octets().iter().rev() {
                // Writing to a String cannot fail.
                let _ = write!(name, "{:x}.{:x}.", octet & 0xf, octet >> 4);
            }
            name.push_str("ip6.arpa.");
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("198.51.100.7", "7.100.51.198.in-addr.arpa.")]
    #[case("0.0.0.0", "0.0.0.0.in-addr.arpa.")]
    #[case("2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.")]
    #[case(
        "::ffff:198.51.100.7",
        "7.0.4.6.3.3.6.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."
    )]
    fn reverses(#[case] address: &str, #[case] wanted: &str) {
        assert_eq!(reverse_name(address.parse().unwrap()), wanted);
    }

    #[rstest]
    #[case("Example.COM", "example.com.", true)]
    #[case("example.com.", "example.com.", true)]
    #[case("example.com", "example.org", false)]
    #[case(".", "", true)]
    #[case("a.example.com.", "example.com.", false)]
    fn compares(#[case] a: &str, #[case] b: &str, #[case] equal: bool) {
        assert_eq!(names_equal(a, b), equal);
        assert_eq!(canonical_name(a) == canonical_name(b), equal);
    }
}
