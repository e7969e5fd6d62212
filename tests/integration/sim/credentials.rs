//! Credentials that end, or are replaced, while a run goes on.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use tempest_operator::openstack::{CaSource, CloudConfig, CloudsFile, CredentialSource, Session};
use tempest_operator::outcome::{Outcome, Reason, Verdict};
use tempest_operator::runner::event::EventKind;
use tempest_operator::runner::ledger::Ledger;
use tempest_operator::runner::{self, Clock, Control};
use tempest_operator::simcloud::{SimCloud, SimOptions};

use super::player::{FIP_OWN, Player, ZONE, clean, cloud};

const NEW_PASSWORD: &str = "another-password-5678";

/// What the Secret says now.
#[derive(Debug)]
struct Secret(String);

#[async_trait]
impl CredentialSource for Secret {
    async fn current(&self, entry: &str) -> Option<CloudConfig> {
        CloudsFile::parse(&self.0, None).ok()?.cloud(entry, CaSource::Inline(None)).ok()
    }
}

fn with_new_password(cloud: &SimCloud) -> String {
    cloud.clouds_yaml().replace(&SimOptions::default().password, NEW_PASSWORD)
}

/// A run whose user gets another password as soon as something was made.
fn rotated(cloud: Arc<SimCloud>, secret: String) -> Player {
    let mut player = Player::of(&cloud, &[FIP_OWN, ZONE]).patient(5);
    player.options.credentials = Some(Arc::new(Secret(secret)));
    let mut once = Some(());
    player.on_event = Box::new(move |event| {
        if matches!(event.kind, EventKind::StepFinished { .. }) && once.take().is_some() {
            cloud.change_password("demo", NEW_PASSWORD);
        }
    });
    player
}

#[tokio::test]
async fn a_password_that_is_replaced_in_the_middle_of_a_run_is_taken() {
    let cloud = Arc::new(cloud().await);
    rotated(Arc::clone(&cloud), with_new_password(&cloud)).play().await.passed();
    clean(&cloud);
}

#[tokio::test]
async fn a_password_that_is_replaced_only_in_keystone_ends_the_run_and_what_was_made_stays_written_down() {
    let cloud = Arc::new(cloud().await);
    let played = rotated(Arc::clone(&cloud), cloud.clouds_yaml()).play().await;
    assert_eq!(played.report.verdict, Some(Verdict::Errored), "{:#?}", played.report);
    for test in &played.report.tests {
        assert_eq!((test.outcome, test.reason), (Outcome::Errored, Some(Reason::AuthenticationFailed)));
    }
    assert!(!cloud.snapshot().is_clean(), "nobody could undo it");
    // Whoever has the new password can.
    let mut later = Player::of(&cloud, &[]);
    later.clouds_yaml = with_new_password(&cloud);
    let ledger = Ledger::resume(played.kept.document().unwrap(), Box::new(played.kept));
    assert_eq!(runner::undo(&later.inputs(), &ledger, &Control::default()).await.unwrap(), Vec::new());
    clean(&cloud);
}

/// `clouds.yaml` with an application credential of `demo` that ends at `expires`, and its secret.
pub async fn application_credential(cloud: &SimCloud, expires: Option<&str>) -> (String, String) {
    let player = Player::of(cloud, &[ZONE]);
    let demo = player.inputs().clouds.into_values().next().unwrap();
    let session = Session::connect(demo, player.options).await.unwrap();
    let path = format!("/users/{}/application_credentials", session.user_id());
    let wanted = json!({ "application_credential": { "name": "short", "expires_at": expires } });
    let made: Value = session
        .request(tempest_operator::openstack::Service::Identity, Method::POST, path)
        .json(&wanted)
        .send()
        .await
        .unwrap()
        .read(Some("application_credential"))
        .unwrap();
    let clouds = json!({ "clouds": { "demo": { "auth_type": "v3applicationcredential", "auth": {
        "auth_url": cloud.auth_url(),
        "application_credential_id": made["id"], "application_credential_secret": made["secret"],
    } } } });
    (clouds.to_string(), made["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_application_credential_that_ends_soon_is_warned_of() {
    let cloud = cloud().await;
    let in_three_days = jiff::Timestamp::now() + std::time::Duration::from_hours(75);
    let mut player = Player::of(&cloud, &[ZONE]);
    (player.clouds_yaml, _) = application_credential(&cloud, Some(&in_three_days.to_string())).await;
    let facts = runner::preflight(&player.inputs(), &Clock::system()).await.unwrap();
    let warned = facts.warnings.iter().any(|warning| {
        warning.contains("application credential of primary ends at") && warning.contains("in 3 days")
    });
    assert!(warned, "{:?}", facts.warnings);
}
