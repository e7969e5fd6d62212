//! Name resolution that answers only with addresses that the policy allows, so that a name cannot be pointed somewhere
//! else between the check and the connection.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::policy::{EndpointPolicy, PolicyViolation};

/// The system's resolver behind the policy.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    pub policy: EndpointPolicy,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(allowed(&policy, found)?.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be spoken to; the first violation if that leaves none.
fn allowed(policy: &EndpointPolicy, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, PolicyViolation> {
    let mut violation = None;
    let kept: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| match policy.check(address.ip()) {
            Ok(()) => true,
            Err(found) => {
                violation.get_or_insert(found);
                false
            }
        })
        .collect();
    match violation {
        Some(violation) if kept.is_empty() => Err(violation),
        _ => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_addresses_are_dropped() {
        let policy = EndpointPolicy::default();
        let good: SocketAddr = "203.0.113.1:0".parse().unwrap();
        let bad: SocketAddr = "169.254.169.254:0".parse().unwrap();
        assert_eq!(allowed(&policy, vec![bad, good]).unwrap(), [good]);
        assert!(allowed(&policy, vec![bad]).is_err());
        assert!(allowed(&policy, vec![]).unwrap().is_empty());
    }
}
