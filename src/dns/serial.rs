//! Zone serials and their arithmetic (RFC 1982).

use std::cmp::Ordering;
use std::fmt;

/// The serial of a zone's SOA. It has no `Ord`: serials wrap, so two of them can be incomparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// Compares as RFC 1982 section 3.2 does; `None` when the two are exactly half the number space apart.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match other.0.wrapping_sub(self.0) {
            0 => Some(Ordering::Equal),
            1..0x8000_0000 => Some(Ordering::Less),
            0x8000_0000 => None,
            _ => Some(Ordering::Greater),
        }
    }

    /// Whether this serial is strictly newer than `before`.
    pub fn is_newer_than(self, before: Self) -> bool {
        self.compare(before) == Some(Ordering::Greater)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0, Some(Ordering::Equal))]
    #[case(0, 1, Some(Ordering::Less))]
    #[case(44, 0, Some(Ordering::Greater))]
    #[case(u32::MAX, 0, Some(Ordering::Less))]
    #[case(u32::MAX, 99, Some(Ordering::Less))]
    #[case(5, u32::MAX, Some(Ordering::Greater))]
    #[case(0, 0x8000_0000, None)]
    #[case(0x8000_0000, 0, None)]
    #[case(0, 0x7fff_ffff, Some(Ordering::Less))]
    #[case(0, 0x8000_0001, Some(Ordering::Greater))]
    fn compares_as_rfc_1982(#[case] a: u32, #[case] b: u32, #[case] wanted: Option<Ordering>) {
        assert_eq!(Serial(a).compare(Serial(b)), wanted);
    }

    proptest! {
        #[test]
        fn adding_makes_newer(start in any::<u32>(), step in 1..0x8000_0000_u32) {
            prop_assert!(Serial(start.wrapping_add(step)).is_newer_than(Serial(start)));
            prop_assert!(!Serial(start).is_newer_than(Serial(start.wrapping_add(step))));
        }
    }
}
