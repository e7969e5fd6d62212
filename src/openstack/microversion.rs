//! Nova's microversions.

use std::fmt;
use std::str::FromStr;

/// A microversion such as 2.90; ordered by number, not by text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Microversion {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl Microversion {
    /// The microversion `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for Microversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Microversion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.trim()
            .split_once('.')
            .and_then(|(major, minor)| Some(Self::new(major.parse().ok()?, minor.parse().ok()?)))
            .ok_or_else(|| format!("{text:?} is not a microversion"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_number() {
        let old: Microversion = "2.9".parse().unwrap();
        let new: Microversion = "2.90".parse().unwrap();
        assert!(old < new);
        assert_eq!(new.to_string(), "2.90");
        assert!("2".parse::<Microversion>().is_err());
        assert!("latest".parse::<Microversion>().is_err());
    }
}
