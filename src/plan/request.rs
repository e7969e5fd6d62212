//! What a run wants of a cloud, before anything is known of it.

use std::collections::BTreeMap;

use super::error::PlanError;
use crate::api::tempest_run::CloudSpec;
use crate::outcome::Role;

/// Which credentials act, and what of the cloud may be used; what is [`None`] is discovered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudRequest {
    /// Entries of clouds.yaml by role; the primary is always there.
    pub entries: BTreeMap<Role, String>,
    /// Region instead of the entry's.
    pub region: Option<String>,
    /// Interface of the catalogue instead of the entry's.
    pub interface: Option<String>,
    /// Everything made in DNS lies under this domain; lower case, with its final dot.
    pub zone_suffix: String,
    /// Image by name or id.
    pub image: Option<String>,
    /// Flavor by name or id.
    pub flavor: Option<String>,
    /// External network by name or id.
    pub floating_network: Option<String>,
    /// Published network by name or id.
    pub published_network: Option<String>,
    /// Authoritative name servers as written.
    pub nameservers: Vec<String>,
}

/// Reads a spec against the entries that clouds.yaml has.
pub fn cloud_request(spec: &CloudSpec, available: &[String]) -> Result<CloudRequest, PlanError> {
    let existing = || available.join(", ");
    let primary = match (&spec.primary, available) {
        (Some(name), _) => name.clone(),
        (None, [only]) => only.clone(),
        (None, []) => return Err(PlanError::NoEntries),
        (None, _) => return Err(PlanError::NoPrimary { existing: existing() }),
    };
    let named = [
        (Role::Primary, Some(primary)),
        (Role::Alternate, spec.alternate.clone()),
        (Role::Admin, spec.admin.clone()),
        (Role::Reader, spec.reader.clone()),
    ];
    let entries: BTreeMap<Role, String> =
        named.into_iter().filter_map(|(role, entry)| entry.map(|entry| (role, entry))).collect();
    if let Some((role, entry)) = entries.iter().find(|(_, entry)| !available.contains(entry)) {
        return Err(PlanError::UnknownEntry {
            role: role.to_string(),
            entry: entry.clone(),
            existing: existing(),
        });
    }
    Ok(CloudRequest {
        entries,
        region: spec.region.clone(),
        interface: spec.interface.map(|interface| interface.as_str().to_owned()),
        zone_suffix: zone_suffix(&spec.zone_suffix)?,
        image: spec.image.clone(),
        flavor: spec.flavor.clone(),
        floating_network: spec.floating_network.clone(),
        published_network: spec.published_network.clone(),
        nameservers: spec.nameservers.clone(),
    })
}

/// The longest suffix that leaves room for a test's own labels in a name of 255 octets (RFC 1035, section 2.3.4).
const LONGEST_SUFFIX: usize = 180;

/// Checks that a domain is one to test under, and gives it its canonical form.
pub fn zone_suffix(given: &str) -> Result<String, PlanError> {
    let wrong = |why: &str| PlanError::ZoneSuffix { suffix: given.to_owned(), why: why.to_owned() };
    let suffix = given.trim().to_ascii_lowercase();
    let Some(name) = suffix.strip_suffix('.') else {
        return Err(wrong("it must end with a dot, such as verify.example.org."));
    };
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        let inside =
            label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    if !labels.iter().all(is_label) {
        return Err(wrong("a label has 1 to 63 letters, digits and inner hyphens (RFC 1035)"));
    }
    if suffix.len() > LONGEST_SUFFIX {
        return Err(wrong("it leaves no room for the names of tests; give one of at most 180 characters"));
    }
    if labels.len() < 2 {
        return Err(wrong("a top-level domain is nobody's to test in; give a domain below it that is yours"));
    }
    if labels.last() == Some(&"arpa") {
        return Err(wrong("reverse zones belong to whoever has the addresses; give a forward domain"));
    }
    Ok(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn spec(suffix: &str) -> CloudSpec {
        CloudSpec { zone_suffix: suffix.to_owned(), ..CloudSpec::default() }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case::no_dot("example.org", "end with a dot")]
    #[case::top_level("org.", "top-level")]
    #[case::reverse("2.0.192.in-addr.arpa.", "reverse")]
    #[case::bad_label("ex_ample.org.", "RFC 1035")]
    #[case::empty_label("a..org.", "RFC 1035")]
    fn a_suffix_that_is_nobodys_to_test_in_is_refused(#[case] suffix: &str, #[case] why: &str) {
        let error = zone_suffix(suffix).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(suffix), "{error}");
    }

    #[test]
    fn the_only_entry_is_the_primary() {
        let request = cloud_request(&spec("T.example."), &names(&["demo"])).unwrap();
        assert_eq!(request.entries[&Role::Primary], "demo");
        assert_eq!(request.zone_suffix, "t.example.");
    }

    #[test]
    fn of_several_entries_one_must_be_named() {
        let error = cloud_request(&spec("t.example."), &names(&["a", "b"])).unwrap_err();
        assert_eq!(error, PlanError::NoPrimary { existing: "a, b".into() });
    }

    #[test]
    fn an_entry_that_is_not_there_is_named_with_those_that_are() {
        let spec = CloudSpec { primary: Some("a".into()), admin: Some("root".into()), ..spec("t.example.") };
        let error = cloud_request(&spec, &names(&["a", "b"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "spec.cloud.admin names entry 'root', which clouds.yaml does not have; it has a, b"
        );
    }
}
