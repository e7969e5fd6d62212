//! `clouds.yaml` in the shapes that people write it.

use super::*;
use crate::openstack::auth::{Credentials, DomainRef, ProjectRef, Scope, UserRef};
use crate::openstack::service::{Interface, Service};
use rstest::rstest;
use secrecy::ExposeSecret;

const CLOUDS: &str = r#"
clouds:
  lab:
    auth:
      auth_url: https://cloud.example/identity
      username: demo
      password: 00123_4
      project_name: demo
      user_domain_name: Default
      project_domain_id: default
    region_name: RegionOne
    interface: internalURL
    identity_api_version: 3
    network_endpoint_override: http://10.0.0.1:9696
    unknown: { anything: [goes] }
  app:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://cloud.example:5000/v3/
      application_credential_id: 55514473ddd64b1ebfed06cea5b618fa
      application_credential_secret: s3cret
    verify: no
  named-app:
    auth:
      auth_url: https://cloud.example:5000
      application_credential_name: ci
      application_credential_secret: s3cret
      user_id: u1
  token:
    auth_type: token
    auth: { auth_url: "http://c:5000", token: t0ken, system_scope: all }
  short:
    auth: { auth_url: "http://c:5000", username: u, password: p, domain_name: d }
  empty:
"#;

fn clouds() -> CloudsFile {
    CloudsFile::parse(CLOUDS, None).unwrap()
}

fn cloud(name: &str) -> CloudConfig {
    clouds().cloud(name, CaSource::Inline(None)).unwrap()
}

#[test]
fn a_password_entry() {
    let lab = cloud("lab");
    assert_eq!(lab.auth_url.as_str(), "https://cloud.example/identity/v3");
    assert_eq!(lab.region.as_deref(), Some("RegionOne"));
    assert_eq!(lab.interface, Interface::Internal);
    assert!(!lab.insecure);
    assert_eq!(lab.endpoint_overrides[&Service::Network], "http://10.0.0.1:9696");
    assert_eq!(
        lab.scope,
        Scope::Project(ProjectRef::Named { name: "demo".into(), domain: DomainRef::Id("default".into()) })
    );
    let Credentials::Password { user, password } = lab.credentials else {
        panic!("{:?}", lab.credentials);
    };
    assert_eq!(user, UserRef::Named { name: "demo".into(), domain: DomainRef::Name("Default".into()) });
    assert_eq!(password.expose_secret(), "00123_4", "scalars keep their text");
}

#[test]
fn the_other_kinds_of_credentials() {
    let app = cloud("app");
    assert!(app.insecure);
    assert_eq!(app.auth_url.as_str(), "https://cloud.example:5000/v3");
    assert_eq!(app.scope, Scope::Unscoped);
    assert!(matches!(
        app.credentials,
        Credentials::ApplicationCredential { id, .. } if id == "55514473ddd64b1ebfed06cea5b618fa"
    ));
    assert!(matches!(
        cloud("named-app").credentials,
        Credentials::NamedApplicationCredential { user: UserRef::Id(id), .. } if id == "u1"
    ));
    let token = cloud("token");
    assert!(matches!(token.credentials, Credentials::Token(_)));
    assert_eq!(token.scope, Scope::System);
    assert_eq!(cloud("short").scope, Scope::Domain(DomainRef::Name("d".into())));
}

#[test]
fn secure_yaml_is_laid_over_key_by_key() {
    let clouds = CloudsFile::parse(
        "clouds: { a: { auth: { auth_url: 'http://c:5000', username: u, password: old, user_domain_id: d } } }",
        Some("clouds: { a: { auth: { password: new }, region_name: r }, b: { auth: {} } }"),
    )
    .unwrap();
    assert_eq!(clouds.names(), ["a", "b"]);
    let a = clouds.cloud("a", CaSource::Inline(None)).unwrap();
    assert_eq!(a.credentials.secret().expose_secret(), "new");
    assert_eq!(a.region.as_deref(), Some("r"));
}

#[rstest]
#[case("nope", "there is no cloud \"nope\"; there are app, empty, lab, named-app, short, token")]
#[case("empty", "cloud \"empty\" has no auth.auth_url")]
fn errors_name_what_is_missing(#[case] name: &str, #[case] wanted: &str) {
    let error = clouds().cloud(name, CaSource::Inline(None)).unwrap_err();
    assert_eq!(error.to_string(), wanted);
}

#[rstest]
#[case("username: u, password: p", "auth.user_domain_name or user_domain_id")]
#[case("username: u, user_domain_id: d", "auth.password")]
#[case("password: p", "auth.username or user_id")]
#[case("application_credential_id: x", "auth.application_credential_secret")]
#[case("user_id: u, password: p, project_name: x", "auth.project_domain_name or project_domain_id")]
fn every_missing_field_is_named(#[case] auth: &str, #[case] field: &str) {
    let text = format!("clouds: {{ a: {{ auth: {{ auth_url: 'http://c:5000', {auth} }} }} }}");
    let error = CloudsFile::parse(&text, None).unwrap().cloud("a", CaSource::Inline(None)).unwrap_err();
    assert_eq!(error.to_string(), format!("cloud \"a\" has no {field}"));
}

#[rstest]
#[case("auth_type: v3oidcpassword", "auth_type")]
#[case("identity_api_version: 2", "identity_api_version")]
#[case("interface: outside", "interface")]
#[case("verify: perhaps", "verify")]
fn values_that_cannot_be_used_are_named_and_not_repeated(#[case] line: &str, #[case] field: &str) {
    let text = format!(
        "clouds: {{ a: {{ {line}, auth: {{ auth_url: 'http://c:5000', user_id: u, password: p }} }} }}"
    );
    let error = CloudsFile::parse(&text, None).unwrap().cloud("a", CaSource::Inline(None)).unwrap_err();
    assert!(matches!(&error, ConfigError::Invalid { field: named, .. } if *named == field), "{error}");
    let url = "clouds: { a: { auth: { auth_url: 'http://me:fake-secret@c', user_id: u, password: p } } }";
    let error = CloudsFile::parse(url, None).unwrap().cloud("a", CaSource::Inline(None)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("fake-secret"));
}

#[test]
fn broken_yaml_says_where_and_never_quotes() {
    let cases = [
        "clouds:\n  a:\n    auth:\n      password: [fake-secret\n",
        "clouds:\n  a:\n    auth: fake-secret\n",
        "clouds:\n  a:\n    auth:\n      password: *fake-secret\n",
        "clouds:\n  a:\n    auth: {}\n    password: \"fake-secret\n",
    ];
    for text in cases {
        let error = CloudsFile::parse(text, None).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(error.to_string().contains("at line "), "{shown}");
        assert!(!shown.contains("fake-secret"), "{shown}");
    }
    let error = CloudsFile::parse("clouds: {}", Some("clouds: [")).unwrap_err();
    assert!(error.to_string().starts_with("secure.yaml is not valid"));
    assert!(CloudsFile::parse("", Some("")).unwrap().names().is_empty());
}

#[test]
fn a_path_to_certificates_is_read_only_for_this_machines_own_clouds() {
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, PEM).unwrap();
    let text = format!(
        "clouds: {{ a: {{ cacert: {}, auth: {{ auth_url: 'http://c', user_id: u, password: p }} }} }}",
        path.display()
    );
    let clouds = CloudsFile::parse(&text, None).unwrap();
    let of = |ca| clouds.cloud("a", ca).map(|cloud| cloud.ca_pem);
    assert!(matches!(of(CaSource::Inline(None)), Err(ConfigError::CaPath { .. })));
    assert_eq!(of(CaSource::Inline(Some("other"))), Ok(Some("other".into())));
    assert_eq!(of(CaSource::Files), Ok(Some(PEM.into())));
    std::fs::remove_file(path).unwrap();
    assert!(matches!(of(CaSource::Files), Err(ConfigError::File { .. })));

    let inline = "clouds:\n  a:\n    cacert: |\n      -----BEGIN CERTIFICATE-----\n    auth: { auth_url: 'http://c', user_id: u, password: p }\n";
    let clouds = CloudsFile::parse(inline, None).unwrap();
    let cloud = clouds.cloud("a", CaSource::Inline(None)).unwrap();
    assert!(cloud.ca_pem.unwrap().contains("BEGIN"));
}

#[test]
fn debug_shows_names_only() {
    let text = format!("{:?} {:?}", clouds(), cloud("app"));
    assert!(text.contains("named-app"));
    assert!(!text.contains("s3cret"));
}

#[test]
fn a_file_that_is_nested_without_end_is_malformed() {
    for deep in ["[".repeat(5000), "{a: ".repeat(5000)] {
        let text = CLOUDS.replace("anything: [goes]", &format!("anything: {deep}"));
        assert!(
            matches!(CloudsFile::parse(&text, None), Err(ConfigError::Malformed { .. })),
            "{}",
            &deep[..9]
        );
    }
}
