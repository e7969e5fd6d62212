//! Name servers as people write them, and as they are asked.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::error::DnsError;

/// The port of DNS.
const DNS_PORT: u16 = 53;

/// One name server to ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameServer {
    /// What people call it: the text that it was written as.
    pub label: String,
    /// Where it is asked.
    pub address: SocketAddr,
}

impl NameServer {
    /// Reads and resolves in one go; see [`NameServerSpec`].
    pub async fn resolve(text: &str) -> Result<Vec<Self>, DnsError> {
        text.parse::<NameServerSpec>()?.resolve().await
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        if self.label.parse::<IpAddr>().is_err() && self.label != self.address.to_string() {
            write!(f, " ({})", self.address)?;
        }
        Ok(())
    }
}

/// A name server as written: `host`, `host:port`, `ip`, `ip:port`, `v6` or `[v6]:port`; the port is 53 if not said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameServerSpec {
    text: String,
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    Address(IpAddr),
    Name(String),
}

impl NameServerSpec {
    /// The addresses of this name server: itself, or what the system's resolver knows of its name (every address,
    /// each once, in the resolver's order).
    ///
    /// # Errors
    /// [`DnsError::Unresolved`] when the name has no address.
    pub async fn resolve(&self) -> Result<Vec<NameServer>, DnsError> {
        let name = match &self.host {
            Host::Address(address) => {
                return Ok(vec![NameServer {
                    label: self.text.clone(),
                    address: SocketAddr::new(*address, self.port),
                }]);
            }
            Host::Name(name) => name,
        };
        let unresolved = |source| DnsError::Unresolved { host: name.clone(), source };
        let mut servers: Vec<NameServer> = Vec::new();
        for address in tokio::net::lookup_host((name.as_str(), self.port))
            .await
            .map_err(|error| unresolved(Some(error)))?
        {
            if servers.iter().all(|server| server.address != address) {
                servers.push(NameServer { label: self.text.clone(), address });
            }
        }
        if servers.is_empty() {
            return Err(unresolved(None));
        }
        Ok(servers)
    }
}

impl fmt::Display for NameServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for NameServerSpec {
    type Err = DnsError;

    fn from_str(text: &str) -> Result<Self, DnsError> {
        let text = text.trim();
        let invalid = |reason| DnsError::InvalidServer { text: text.to_owned(), reason };
        let spec = |host, port| Self { text: text.to_owned(), host, port };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(spec(Host::Address(address), DNS_PORT));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (inside, port) = rest.split_once(']').ok_or(invalid("']' is missing"))?;
            let address: Ipv6Addr =
                inside.parse().map_err(|_| invalid("no IPv6 address between the brackets"))?;
            let port = match port.strip_prefix(':') {
                Some(port) => read_port(port).ok_or(invalid("the port is not 1 to 65535"))?,
                None if port.is_empty() => DNS_PORT,
                None => return Err(invalid("there is something behind ']'")),
            };
            return Ok(spec(Host::Address(address.into()), port));
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, read_port(port).ok_or(invalid("the port is not 1 to 65535"))?),
            None => (text, DNS_PORT),
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(spec(Host::Address(address), port));
        }
        if !is_hostname(host) {
            return Err(invalid("the host is neither an address nor a host name"));
        }
        Ok(spec(Host::Name(host.to_owned()), port))
    }
}

fn read_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

fn is_hostname(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let all_digits = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !all_digits
        && host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("192.0.2.1", "192.0.2.1:53")]
    #[case("192.0.2.1:5354", "192.0.2.1:5354")]
    #[case("2001:db8::1", "[2001:db8::1]:53")]
    #[case("[2001:db8::1]", "[2001:db8::1]:53")]
    #[case("[2001:db8::1]:5354", "[2001:db8::1]:5354")]
    #[tokio::test]
    async fn addresses_need_no_resolver(#[case] text: &str, #[case] wanted: &str) {
        let servers = NameServer::resolve(text).await.unwrap();
        assert_eq!(servers.len(), 1);
        assert_eq!(servers[0].address.to_string(), wanted);
        assert_eq!(servers[0].label, text);
    }

    #[tokio::test]
    async fn names_are_resolved_and_keep_their_label() {
        let servers = NameServer::resolve("localhost:5300").await.unwrap();
        assert!(servers.iter().all(|s| s.address.ip().is_loopback()));
        assert!(servers.iter().all(|s| s.label == "localhost:5300"));
        assert!(servers[0].to_string().starts_with("localhost:5300 ("));
    }

    #[tokio::test]
    async fn a_name_without_address_is_said() {
        let error = NameServer::resolve("nowhere.invalid").await.unwrap_err();
        assert!(error.to_string().contains("nowhere.invalid"), "{error}");
    }

    #[rstest]
    #[case("")]
    #[case("ns1:dns")]
    #[case("ns1:0")]
    #[case("ns1:70000")]
    #[case("[2001:db8::1")]
    #[case("[ns1]:53")]
    #[case("[::1]53")]
    #[case("http://ns1")]
    #[case("ns 1")]
    #[case("300.1.1.1")]
    #[case("ns1..example")]
    fn nonsense_is_refused(#[case] text: &str) {
        assert!(matches!(text.parse::<NameServerSpec>(), Err(DnsError::InvalidServer { .. })));
    }
}
