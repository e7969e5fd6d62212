//! Secrets never leave their type: everything that is told, logged or written down is searched for them.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use rstest::rstest;
use tempest_operator::outcome::{Reason, VerdictPolicy};
use tempest_operator::report::{json, junit, table};
use tempest_operator::simcloud::{Fault, Scope, Service, SimCloud, SimOptions};
use tempest_operator::telemetry::{Metrics, json_lines};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use super::credentials::application_credential;
use super::player::{FIP_OWN, Kept, Played, Player, ZONE, clean, cloud_with};

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Log {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

fn everything(played: &Played) -> String {
    let policy = VerdictPolicy::default();
    let report = &played.report;
    [
        serde_json::to_string(&played.events).unwrap(),
        format!("{:?}", played.events),
        json::render(report).unwrap(),
        json::yaml(report).unwrap(),
        junit::render(report, &policy).unwrap(),
        table::render(report, &policy, None),
    ]
    .concat()
}

/// What was sent as a password, a secret of an application credential, or a token.
fn secrets(cloud: &SimCloud, more: &[&str]) -> BTreeSet<String> {
    let mut secrets: BTreeSet<String> = more.iter().map(|secret| (*secret).to_owned()).collect();
    for request in &cloud.requests().latest {
        let tokens = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-auth-token"));
        secrets.extend(tokens.map(|(_, token)| token.clone()));
    }
    let of_json = |secret: &String| serde_json::to_string(secret).unwrap().trim_matches('"').to_owned();
    let in_json: Vec<String> = secrets.iter().map(of_json).collect();
    secrets.extend(in_json);
    assert!(secrets.len() > more.len(), "no token was ever sent");
    secrets
}

#[track_caller]
fn untold(told: &str, secrets: &BTreeSet<String>) {
    for secret in secrets {
        assert!(secret.len() > 8);
        let Some(at) = told.find(secret) else { continue };
        let begin = told.floor_char_boundary(at.saturating_sub(200));
        panic!("a secret is told: …{}", &told[begin..at]);
    }
}

/// Logs everything that this thread does, for people and for machines.
fn logging(lines: &Log, json: &Log) -> DefaultGuard {
    let subscriber = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_filter(LevelFilter::TRACE))
        .with(json_lines(json.clone()).with_filter(LevelFilter::TRACE));
    tracing::subscriber::set_default(subscriber)
}

fn quoted() -> SimOptions {
    SimOptions { password: r#"say "hush"\4711"#.to_owned(), ..SimOptions::default() }
}

// One thread: what is logged anywhere in the process is logged here.
#[tokio::test(flavor = "current_thread")]
async fn neither_password_nor_token_is_ever_told() {
    let (lines, json) = (Log::default(), Log::default());
    let _logging = logging(&lines, &json);
    let metrics = Metrics::default();
    let cloud = cloud_with(quoted()).await;
    let player = |include: &[&str]| {
        let mut player = Player::of(&cloud, include).patient(5);
        player.options.observer = Some(Arc::new(metrics.clone()));
        player
    };
    let inputs = format!("{:?} {:?}", player(&[]).inputs().clouds, player(&[]).inputs().options);
    let passed = player(&[FIP_OWN, ZONE]).play().await;
    passed.passed();
    // An error tells more than a success does, and so does what is written down when the runner breaks.
    cloud.faults().inject(Fault::Unauthorized);
    let refused = player(&[ZONE]).play().await;
    cloud.faults().clear_all();
    let mut breaking = player(&[ZONE]);
    breaking.kept = Kept::breaking_at("create");
    let broken = breaking.play().await;
    assert_eq!(broken.only().reason, Some(Reason::RunnerPanicked));
    let told = [
        inputs,
        everything(&passed),
        everything(&refused),
        everything(&broken),
        metrics.text().unwrap(),
        lines.text(),
        json.text(),
    ];
    for told in &told {
        assert!(told.len() > 100, "nothing was captured: {told}");
    }
    untold(&told.concat(), &secrets(&cloud, &[&quoted().password]));
    clean(&cloud);
}

/// A service that tells everything it was sent, in errors and in what it calls a success.
#[rstest]
#[case::of_an_error(Fault::Echo(500))]
#[case::of_a_refusal(Fault::Echo(401))]
#[case::of_a_no(Fault::Echo(400))]
#[case::of_a_success(Fault::Echo(200))]
#[tokio::test(flavor = "current_thread")]
async fn what_a_cloud_echoes_is_struck(
    #[case] fault: Fault,
    #[values(Service::Identity, Service::Orchestration, Service::Dns)] service: Service,
    #[values(false, true)] with_application_credential: bool,
) {
    let (lines, json) = (Log::default(), Log::default());
    let cloud = cloud_with(quoted()).await;
    let mut player = Player::of(&cloud, &[ZONE]);
    let mut known = vec![quoted().password];
    if with_application_credential {
        let (text, secret) = application_credential(&cloud, None).await;
        (player.clouds_yaml, known) = (text, vec![secret]);
    }
    let _logging = logging(&lines, &json);
    let scope = Scope { service: Some(service), ..Scope::default() };
    cloud.faults().inject_in(fault, scope);
    let played = player.play().await;
    cloud.faults().clear_all();
    let told = [everything(&played), lines.text(), json.text()].concat();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    untold(&told, &secrets(&cloud, &known));
}

/// What an assertion looked at is told when it does not hold.
#[tokio::test]
async fn what_a_cloud_echoes_into_its_things_is_struck() {
    let cloud = cloud_with(quoted()).await;
    let text = "
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: curious}
spec:
  title: It looks at what came
  steps:
    - name: look
      expect: {service: dns, path: /zones, that: [body.message == 'nothing']}
";
    let scope = Scope { service: Some(Service::Dns), ..Scope::default() };
    cloud.faults().inject_in(Fault::Echo(200), scope);
    let played = Player::of_text(&cloud, text).play().await;
    let evidence = &played.only().failed_step.as_ref().unwrap().evidence;
    assert!(evidence.observed.as_ref().unwrap().contains("[redacted]"), "{evidence:#?}");
    untold(&everything(&played), &secrets(&cloud, &[]));
}
