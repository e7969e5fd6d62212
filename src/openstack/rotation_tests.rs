//! Credentials that change under a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::Method;
use rstest::rstest;
use serde_json::json;

use super::test_cloud::{PASSWORD, TestCloud, config, options, reply, whole};
use super::*;

const NEW_PASSWORD: &str = "another-password-5678";

/// A Secret that somebody has edited.
#[derive(Debug)]
struct Edited {
    cloud: Option<CloudConfig>,
    reads: AtomicUsize,
}

#[async_trait]
impl CredentialSource for Edited {
    async fn current(&self, entry: &str) -> Option<CloudConfig> {
        assert_eq!(entry, "test");
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.cloud.clone()
    }
}

/// A cloud that knows its first token no more, and a session with it.
async fn revoked(
    edited: impl FnOnce(CloudConfig) -> Option<CloudConfig>,
) -> (TestCloud, Session, Arc<Edited>) {
    let cloud = TestCloud::start(|seen, _| {
        if seen.headers["x-auth-token"].to_str().unwrap().ends_with("-1") {
            return reply(401, &json!({ "error": { "message": "revoked" } }));
        }
        reply(409, &json!({ "message": format!("not with {PASSWORD} and not with {NEW_PASSWORD}") }))
    })
    .await;
    let source = Arc::new(Edited { cloud: edited(cloud.config()), reads: AtomicUsize::new(0) });
    let options = SessionOptions { credentials: Some(source.clone()), ..options() };
    let session = Session::connect(cloud.config(), options).await.unwrap();
    cloud.change_password(NEW_PASSWORD);
    (cloud, session, source)
}

fn with_password(config: CloudConfig, password: &str) -> CloudConfig {
    let Credentials::Password { user, .. } = config.credentials else { unreachable!("the test's own") };
    CloudConfig { credentials: Credentials::Password { user, password: password.into() }, ..config }
}

#[tokio::test]
async fn replaced_credentials_are_read_once_for_many_callers() {
    let (cloud, session, source) = revoked(|config| Some(with_password(config, NEW_PASSWORD))).await;
    let calls = (0..20).map(|_| session.request(Service::Dns, Method::GET, "/zones").send());
    for result in futures::future::join_all(calls).await {
        let error = result.unwrap_err();
        assert_eq!(error.status(), Some(409), "the new token is taken: {error}");
        let told = whole(&error);
        assert!(!told.contains(PASSWORD) && !told.contains(NEW_PASSWORD), "{told}");
    }
    assert_eq!((cloud.tokens(), source.reads.load(Ordering::SeqCst)), (2, 1));
}

#[rstest]
#[case::nothing_was_replaced(|_: CloudConfig| None, "no such user")]
#[case::the_same_again(Some, "no such user")]
#[case::refused_too(|config| Some(with_password(config, "wrong-password")), "no such user")]
#[case::another_cloud(|_: CloudConfig| Some(config("http://127.0.0.1:9/identity")), "another cloud")]
#[case::another_project(|config| Some(elsewhere(with_password(config, NEW_PASSWORD))), "another project")]
#[tokio::test]
async fn what_cannot_replace_them_is_refused(
    #[case] edited: impl FnOnce(CloudConfig) -> Option<CloudConfig>,
    #[case] says: &str,
) {
    let (_cloud, session, source) = revoked(edited).await;
    for _ in 0..2 {
        let error = session.request(Service::Dns, Method::GET, "/zones").send().await.unwrap_err();
        assert!(matches!(error, Error::Auth { .. }), "{error}");
        let told = whole(&error);
        assert!(told.contains(says) && !told.contains("password-"), "{told}");
    }
    assert_eq!(
        source.reads.load(Ordering::SeqCst),
        1,
        "accounts are locked by those who try again and again"
    );
}

fn elsewhere(config: CloudConfig) -> CloudConfig {
    let domain = DomainRef::Id("default".to_owned());
    CloudConfig { scope: Scope::Project(ProjectRef::Named { name: "other".to_owned(), domain }), ..config }
}
