//! From a catalogue's address to the address of a call. Pure.
//!
//! Catalogues differ: an address may be bare (`…:9696`, `…/networking`), versioned (`…/v2.1`) or versioned with the
//! project (`…/v1/PROJECT`, Heat and old Nova). Only what is missing is added.

use url::Url;

use super::service::Service;

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PathError {
    /// The address is not one that a service can have.
    #[error("{0:?} is not an address of a service")]
    BadRoot(String),
    /// Heat's paths need the project.
    #[error("the token has no project, and heat's paths need one")]
    NoProject,
    /// The path of a call is not a plain relative path.
    #[error("{path:?} is not a path below the service: {reason}")]
    BadPath { path: String, reason: &'static str },
}

/// The versioned root of a service, without a slash at the end of its path.
pub(super) fn versioned_root(
    service: Service,
    address: &str,
    project: Option<&str>,
) -> Result<Url, PathError> {
    let bad = || PathError::BadRoot(address.to_owned());
    let mut url = Url::parse(address.trim()).map_err(|_| bad())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(bad());
    }
    url.set_query(None);
    url.set_fragment(None);
    let segments: Vec<String> = url
        .path_segments()
        .map(|all| all.filter(|segment| !segment.is_empty()).map(str::to_owned).collect())
        .unwrap_or_default();
    let version = segments.iter().rposition(|segment| is_version(segment));
    let mut path = segments.clone();
    match version {
        // Keystone's catalogue may still name the version that died.
        Some(at) if service == Service::Identity => {
            path.truncate(at);
            path.push(service.version_segment().to_owned());
        }
        Some(_) => {}
        None => path.push(service.version_segment().to_owned()),
    }
    if service == Service::Orchestration && version.is_none_or(|at| at + 1 == segments.len()) {
        path.push(project.ok_or(PathError::NoProject)?.to_owned());
    }
    url.path_segments_mut().map_err(|()| bad())?.clear().extend(path);
    Ok(url)
}

/// A service's root without its version: where it lists its versions.
pub(super) fn unversioned_root(versioned: &Url) -> Url {
    let mut url = versioned.clone();
    let kept: Vec<String> = url
        .path_segments()
        .map(|all| {
            all.take_while(|segment| !is_version(segment))
                .filter(|segment| !segment.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().extend(kept).push("");
    }
    url
}

/// The address of a call: a path below a service's versioned root. The path is plain text, not percent-encoded; `/`
/// alone is the root itself.
pub(super) fn join(root: &Url, path: &str) -> Result<Url, PathError> {
    let bad = |reason| PathError::BadPath { path: path.chars().take(200).collect(), reason };
    if path.contains("://") || path.starts_with("//") {
        return Err(bad("an absolute address"));
    }
    if path.contains(['?', '#', '\\']) || path.chars().any(char::is_control) {
        return Err(bad("'?', '#', '\\' and control characters have no place in it"));
    }
    let mut url = root.clone();
    let body = path.strip_prefix('/').unwrap_or(path);
    {
        let mut segments = url.path_segments_mut().map_err(|()| bad("no root"))?;
        segments.pop_if_empty();
        if !body.is_empty() {
            for segment in body.split('/') {
                match segment {
                    "" => return Err(bad("an empty part")),
                    "." | ".." => return Err(bad("it climbs")),
                    segment => segments.push(segment),
                };
            }
        }
        // Nova's root wants its slash; elsewhere one at the end is an empty part: an id that was not known.
        if path == "/" {
            segments.push("");
        }
    }
    Ok(url)
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Service::Network, "http://c:9696", "http://c:9696/v2.0")]
    #[case(Service::Network, "http://c:9696/", "http://c:9696/v2.0")]
    #[case(Service::Network, "https://c/networking", "https://c/networking/v2.0")]
    #[case(Service::Network, "https://c/networking/v2.0/", "https://c/networking/v2.0")]
    #[case(Service::Dns, "http://c:9001/dns", "http://c:9001/dns/v2")]
    #[case(Service::Dns, "http://c:9001/v2", "http://c:9001/v2")]
    #[case(Service::Image, "http://c/image", "http://c/image/v2")]
    #[case(Service::Compute, "http://c/compute/v2.1", "http://c/compute/v2.1")]
    #[case(Service::Compute, "http://c/compute", "http://c/compute/v2.1")]
    #[case(Service::Compute, "http://c:8774/v2/p0", "http://c:8774/v2/p0")]
    #[case(Service::Identity, "http://c/identity", "http://c/identity/v3")]
    #[case(Service::Identity, "http://c:5000/v3/", "http://c:5000/v3")]
    #[case(Service::Identity, "http://c:5000/v2.0", "http://c:5000/v3")]
    #[case(Service::Orchestration, "http://c:8004/v1/p0", "http://c:8004/v1/p0")]
    #[case(Service::Orchestration, "http://c:8004/v1", "http://c:8004/v1/p1")]
    #[case(Service::Orchestration, "http://c/heat-api/", "http://c/heat-api/v1/p1")]
    #[case(Service::Dns, "http://[2001:db8::1]:9001", "http://[2001:db8::1]:9001/v2")]
    fn roots(#[case] service: Service, #[case] address: &str, #[case] wanted: &str) {
        let root = versioned_root(service, address, Some("p1")).unwrap();
        assert_eq!(root.as_str(), wanted);
    }

    #[rstest]
    #[case("ftp://c/")]
    #[case("c:9696")]
    #[case("")]
    #[case("http://user:pw@c/")]
    #[case("file:///etc/passwd")]
    fn bad_roots(#[case] address: &str) {
        assert!(versioned_root(Service::Dns, address, None).is_err());
    }

    #[test]
    fn heat_needs_a_project() {
        let root = versioned_root(Service::Orchestration, "http://c:8004/v1", None);
        assert_eq!(root, Err(PathError::NoProject));
    }

    #[rstest]
    #[case("http://c:9696/v2.0", "http://c:9696/")]
    #[case("http://c/heat-api/v1/p1", "http://c/heat-api/")]
    fn unversioned(#[case] versioned: &str, #[case] wanted: &str) {
        assert_eq!(unversioned_root(&Url::parse(versioned).unwrap()).as_str(), wanted);
    }

    #[rstest]
    #[case("/ports", "http://c/net/v2.0/ports")]
    #[case("ports", "http://c/net/v2.0/ports")]
    #[case("/", "http://c/net/v2.0/")]
    #[case("", "http://c/net/v2.0")]
    #[case("/stacks/my stack/1", "http://c/net/v2.0/stacks/my%20stack/1")]
    #[case("/reverse/floatingips/RegionOne:f0", "http://c/net/v2.0/reverse/floatingips/RegionOne:f0")]
    #[case("/resource_types/OS::Nova::Server", "http://c/net/v2.0/resource_types/OS::Nova::Server")]
    #[case("/a/%2e%2e/b", "http://c/net/v2.0/a/%252e%252e/b")]
    fn joins(#[case] path: &str, #[case] wanted: &str) {
        let root = Url::parse("http://c/net/v2.0").unwrap();
        assert_eq!(join(&root, path).unwrap().as_str(), wanted);
    }

    #[rstest]
    #[case("http://evil/")]
    #[case("//evil/ports")]
    #[case("/../v3/users")]
    #[case("/ports/..")]
    #[case("/ports/./x")]
    #[case("/ports//x")]
    #[case("/ports/")]
    #[case("/ports?x=1")]
    #[case("/ports#x")]
    #[case("\\\\evil\\x")]
    #[case("/a\nb")]
    fn refuses(#[case] path: &str) {
        let root = Url::parse("http://c/net/v2.0").unwrap();
        assert!(matches!(join(&root, path), Err(PathError::BadPath { .. })));
    }
}
