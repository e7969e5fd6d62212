//! The services that are spoken to, and the words for them.

use std::fmt;
use std::str::FromStr;

/// A service of the cloud, by the job it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Designate.
    Dns,
    /// Glance.
    Image,
    /// Heat.
    Orchestration,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 6] =
        [Self::Identity, Self::Compute, Self::Network, Self::Dns, Self::Image, Self::Orchestration];

    /// The official service type, as catalogues have it.
    pub const fn service_type(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Network => "network",
            Self::Dns => "dns",
            Self::Image => "image",
            Self::Orchestration => "orchestration",
        }
    }

    /// The project that people know the service by, in lower case.
    pub const fn project_name(self) -> &'static str {
        match self {
            Self::Identity => "keystone",
            Self::Compute => "nova",
            Self::Network => "neutron",
            Self::Dns => "designate",
            Self::Image => "glance",
            Self::Orchestration => "heat",
        }
    }

    /// The types that catalogues use for it, best first.
    pub(super) const fn catalog_types(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["identity", "identityv3"],
            Self::Compute => &["compute", "computev21"],
            Self::Network => &["network", "networking"],
            Self::Dns => &["dns"],
            Self::Image => &["image", "imagev2"],
            Self::Orchestration => &["orchestration"],
        }
    }

    /// The version segment of its paths.
    pub(super) const fn version_segment(self) -> &'static str {
        match self {
            Self::Identity => "v3",
            Self::Compute => "v2.1",
            Self::Network => "v2.0",
            Self::Dns | Self::Image => "v2",
            Self::Orchestration => "v1",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.project_name())
    }
}

impl FromStr for Service {
    type Err = String;

    /// Reads a service type (`network`) or the project's name (`neutron`).
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|service| {
                text.eq_ignore_ascii_case(service.service_type())
                    || text.eq_ignore_ascii_case(service.project_name())
            })
            .ok_or_else(|| format!("{text:?} is not a known service"))
    }
}

/// Which of a service's endpoints is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Interface {
    /// For everybody (the default).
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For administrators.
    Admin,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Interface {
    type Err = String;

    /// Reads `public`, `internal` or `admin`, with or without the `URL` of old catalogues, in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.strip_suffix("url").unwrap_or(&lower) {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("{text:?} is not an interface (public, internal, admin)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_interfaces_are_read_by_all_their_names() {
        for service in Service::ALL {
            assert_eq!(service.service_type().parse(), Ok(service));
            assert_eq!(service.project_name().to_uppercase().parse(), Ok(service));
        }
        assert!("volume".parse::<Service>().is_err());
        assert_eq!("publicURL".parse(), Ok(Interface::Public));
        assert_eq!("Internal".parse(), Ok(Interface::Internal));
        assert!("url".parse::<Interface>().is_err());
    }
}
