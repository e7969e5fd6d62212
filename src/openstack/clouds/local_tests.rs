//! Clouds found on this machine.

use super::*;
use std::collections::BTreeMap;

fn environment(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
    let map: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    move |name| map.get(name).cloned()
}

fn write(directory: &Path, file: &str, clouds: &[&str]) {
    std::fs::create_dir_all(directory).unwrap();
    let mut entries = String::new();
    for name in clouds {
        entries.push_str("  ");
        entries.push_str(name);
        entries.push_str(": { auth: { auth_url: 'http://c:5000', user_id: u, password: p } }\n");
    }
    std::fs::write(directory.join(file), format!("clouds:\n{entries}")).unwrap();
}

#[test]
fn files_are_found_in_order_with_secure_yaml_beside() {
    let root = tempfile::tempdir().unwrap();
    let here = root.path().join("here");
    let home = root.path().join("home");
    std::fs::create_dir_all(&here).unwrap();
    let env = environment(&[("HOME", home.to_str().unwrap())]);

    let user = home.join(".config/openstack");
    write(&user, "clouds.yaml", &["one", "two"]);
    let found = local_clouds(&env, &here).unwrap().unwrap();
    assert_eq!(found.path, user.join("clouds.yaml"));

    write(&here, "clouds.yaml", &["three"]);
    write(&here, "secure.yaml", &["four"]);
    let found = local_clouds(&env, &here).unwrap().unwrap();
    assert_eq!(found.clouds.names(), ["four", "three"]);

    let named = user.join("clouds.yaml");
    let env = environment(&[("OS_CLIENT_CONFIG_FILE", named.to_str().unwrap()), ("OS_CLOUD", "two")]);
    assert_eq!(local_cloud(None, &env, &here).unwrap().name, "two");
    assert_eq!(local_cloud(Some("one"), &env, &here).unwrap().name, "one");

    let env = environment(&[("OS_CLIENT_CONFIG_FILE", "/nonexistent/clouds.yaml")]);
    assert!(matches!(local_clouds(&env, &here), Err(ConfigError::File { .. })));
}

#[test]
fn the_only_entry_needs_no_name() {
    let root = tempfile::tempdir().unwrap();
    let env = environment(&[]);
    write(root.path(), "clouds.yaml", &["only"]);
    assert_eq!(local_cloud(None, &env, root.path()).unwrap().name, "only");
    write(root.path(), "clouds.yaml", &["one", "two"]);
    assert_eq!(local_cloud(None, &env, root.path()).unwrap_err(), ConfigError::NoCloud);
}

#[test]
fn variables_describe_a_cloud() {
    let root = tempfile::tempdir().unwrap();
    let env = environment(&[
        ("OS_AUTH_URL", "http://c:5000/v3"),
        ("OS_USERNAME", "demo"),
        ("OS_PASSWORD", "fake-secret"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_REGION_NAME", "r1"),
        ("OS_INTERFACE", "internal"),
        ("OS_INSECURE", "true"),
        ("OS_DNS_ENDPOINT_OVERRIDE", "http://d:9001"),
    ]);
    let cloud = local_cloud(None, &env, root.path()).unwrap();
    assert_eq!(cloud.name, "envvars");
    assert_eq!(cloud.region.as_deref(), Some("r1"));
    assert!(cloud.insecure);
    assert_eq!(cloud.endpoint_overrides.len(), 1);
    assert!(!format!("{cloud:?}").contains("fake-secret"));

    let missing = environment(&[("OS_AUTH_URL", "http://c:5000"), ("OS_PASSWORD", "p")]);
    let error = local_cloud(None, &missing, root.path()).unwrap_err();
    assert_eq!(error.to_string(), "cloud \"envvars\" has no auth.username or user_id");
}
