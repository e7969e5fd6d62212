//! What is wrong with a run's inputs, found out at the cloud: one message that names the thing and the next step.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use tempest_operator::openstack::RetryPolicy;
use tempest_operator::outcome::{Outcome, Reason, Verdict};
use tempest_operator::simcloud::{Fault, Quotas, Scope, SimCloud, SimOptions};

use super::player::{FIP_OWN, FIP_PORT, PORT, Played, Player, ZONE, clean, cloud, cloud_with};

/// A scenario that an application credential is enough for.
const WITHOUT_HEAT: &str = "nameserver_agreement";

/// Somebody else at work in the same cloud.
struct Somebody<'a> {
    cloud: &'a SimCloud,
    token: String,
    client: reqwest::Client,
}

impl<'a> Somebody<'a> {
    async fn called(cloud: &'a SimCloud, user: &str) -> Self {
        let client = reqwest::Client::new();
        let domain = json!({"id": "default"});
        let password = SimOptions::default().password;
        let body = json!({"auth": {
            "identity": {"methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}}},
            "scope": {"project": {"name": user, "domain": domain}},
        }});
        let answer =
            client.post(format!("{}/auth/tokens", cloud.auth_url())).json(&body).send().await.unwrap();
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        Self { cloud, token, client }
    }

    async fn makes(&self, path: &str, body: Value) -> Value {
        let base = self.cloud.auth_url().replace("/identity/v3", "");
        let request = self.client.post(format!("{base}{path}")).header("x-auth-token", &self.token);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }
}

/// The run could not even begin.
#[track_caller]
fn refused(played: &Played, reason: Reason, words: &[&str]) {
    assert_eq!(played.report.verdict, Some(Verdict::Errored), "{:#?}", played.report);
    let fault = played.report.fault.as_ref().unwrap_or_else(|| panic!("{:#?}", played.report));
    assert_eq!(fault.reason, reason, "{fault:#?}");
    for word in words {
        assert!(fault.message.contains(word), "no '{word}' in {}", fault.message);
    }
}

#[track_caller]
fn not_played(played: &Played, words: &[&str]) {
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Skipped, Some(Reason::GateClosed)), "{test:#?}");
    assert_eq!(played.report.verdict, Some(Verdict::Errored), "nothing was played, which is no success");
    let message = test.message.as_ref().unwrap();
    for word in words {
        assert!(message.contains(word), "no '{word}' in {message}");
    }
}

#[track_caller]
fn failed(played: &Played, reason: Reason, words: &[&str]) {
    let test = played.only();
    assert_eq!(test.reason, Some(reason), "{test:#?}");
    let message = test.message.as_ref().unwrap();
    for word in words {
        assert!(message.contains(word), "no '{word}' in {message}");
    }
}

#[tokio::test]
async fn a_wrong_password() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[ZONE]);
    player.clouds_yaml = player.clouds_yaml.replace("simcloud-password", "not-the-password");
    let played = player.play().await;
    refused(&played, Reason::AuthenticationFailed, &["primary (entry 'demo')", "look at user, password"]);
    assert!(!format!("{:?}", played.events).contains("not-the-password"));
    clean(&cloud);
}

#[rstest]
#[case::nobody_listens("http://127.0.0.1:1/identity/v3", "127.0.0.1:1")]
#[case::no_such_host("http://nowhere.invalid/identity/v3", "nowhere.invalid")]
#[tokio::test]
async fn an_unreachable_endpoint(#[case] url: &str, #[case] host: &str) {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[ZONE]);
    player.clouds_yaml = player.clouds_yaml.replace(&cloud.auth_url(), url);
    player.options.retry = RetryPolicy { base: Duration::from_millis(1), ..RetryPolicy::default() };
    refused(&player.play().await, Reason::CloudUnreachable, &["entry 'demo'", host, "look at auth_url"]);
}

#[tokio::test]
async fn an_endpoint_that_speaks_no_tls() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[ZONE]);
    let url = cloud.auth_url().replace("http://", "https://");
    player.clouds_yaml = player.clouds_yaml.replace(&cloud.auth_url(), &url);
    player.options.retry = RetryPolicy { base: Duration::from_millis(1), ..RetryPolicy::default() };
    refused(&player.play().await, Reason::CloudUnreachable, &["entry 'demo'", "TLS"]);
}

#[tokio::test]
async fn a_region_without_the_services() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[ZONE]);
    player.spec.cloud.region = Some("Elsewhere".to_owned());
    let played = player.play().await;
    not_played(&played, &["is not in the catalogue"]);
    clean(&cloud);
}

#[rstest]
#[case::image(FIP_PORT, "image", "there is no image 'nothing'; there are: ")]
#[case::flavor(FIP_PORT, "flavor", "there is no flavor 'nothing'; there are: ")]
#[case::floating_network(
    FIP_OWN,
    "floatingNetwork",
    "there is no external network 'nothing'; there are: public"
)]
#[case::published_network(PORT, "publishedNetwork", "there is no network 'nothing'; there are: ")]
#[tokio::test]
async fn something_that_is_not_there(#[case] scenario: &str, #[case] field: &str, #[case] words: &str) {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[scenario]);
    let spec = &mut player.spec.cloud;
    let named = match field {
        "image" => &mut spec.image,
        "flavor" => &mut spec.flavor,
        "floatingNetwork" => &mut spec.floating_network,
        _ => &mut spec.published_network,
    };
    *named = Some("nothing".to_owned());
    refused(&player.play().await, Reason::InvalidSpec, &[&format!("spec.cloud.{field}"), words]);
    clean(&cloud);
}

#[tokio::test]
async fn a_network_that_is_not_unique() {
    let cloud = cloud().await;
    let admin = Somebody::called(&cloud, "admin").await;
    let network = json!({"network": {"name": "published", "shared": true}});
    let made = admin.makes("/networking/v2.0/networks", network).await;
    let played = Player::of(&cloud, &[PORT]).play().await;
    refused(
        &played,
        Reason::InvalidSpec,
        &["'published' is not unique", made["network"]["id"].as_str().unwrap()],
    );
}

#[tokio::test]
async fn a_zone_suffix_that_belongs_to_somebody_else() {
    let cloud = cloud().await;
    let other = Somebody::called(&cloud, "demo2").await;
    other.makes("/dns/v2/zones", json!({"name": cloud.zone_suffix(), "email": "a@example.org"})).await;
    let played = Player::of(&cloud, &[ZONE]).play().await;
    failed(
        &played,
        Reason::StackFailed,
        &["the zone suffix belongs to another project", "give one that is yours"],
    );
    let left = cloud.snapshot();
    assert_eq!((left.stacks.len(), left.zones.len()), (0, 1), "{left:#?}");
}

#[tokio::test]
async fn a_quota_that_is_used_up() {
    let quotas = Quotas { floating_ips: 0, ..Quotas::default() };
    let cloud = cloud_with(SimOptions { quotas, ..SimOptions::default() }).await;
    let played = Player::of(&cloud, &[FIP_OWN]).play().await;
    failed(&played, Reason::StackFailed, &["quota is used up", "raise it"]);
    clean(&cloud);
}

const OWN: &str = r"
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: own}
spec:
  title: A template of a user
  needs: {services: [orchestration, network]}
  templates:
    own: |
      heat_template_version: 2021-04-16
      parameters:
        prefix: {type: string}
      resources:
RESOURCES
  steps:
    - name: own
      stack:
        action: create
        name: own
        template: own
        parameters: {prefix: '${test.prefix}'}
";

fn own(resources: &str) -> String {
    let indented: Vec<String> = resources.lines().map(|line| format!("        {line}")).collect();
    OWN.replace("RESOURCES", &indented.join("\n"))
}

#[tokio::test]
async fn a_network_without_an_address_left() {
    let cloud = cloud().await;
    let document = own(
        "net:\n  type: OS::Neutron::Net\n  properties: {name: {get_param: prefix}}\nsubnet:\n  type: \
        OS::Neutron::Subnet\n  properties: {network: {get_resource: net}, cidr: 10.7.0.0/30, name: {get_param: prefix}, \
        enable_dhcp: false}\none:\n  type: OS::Neutron::Port\n  depends_on: subnet\n  properties: {network: {get_resource: \
        net}, name: {get_param: prefix}}\ntwo:\n  type: OS::Neutron::Port\n  depends_on: one\n  properties: {network: \
        {get_resource: net}, name: {get_param: prefix}}",
    );
    let played = Player::of_text(&cloud, &document).play().await;
    failed(&played, Reason::StackFailed, &["no address left"]);
    clean(&cloud);
}

#[tokio::test]
async fn a_template_that_heat_refuses() {
    let cloud = cloud().await;
    let document =
        own("net:\n  type: OS::Neutron::Net\n  properties: {name: {get_param: prefix}, colour: red}");
    let played = Player::of_text(&cloud, &document).play().await;
    failed(&played, Reason::StackFailed, &["Heat did not create stack", "colour"]);
    clean(&cloud);
}

#[rstest]
#[case::removed("OS::Nova::FloatingIP")]
#[case::unknown("OS::Neutron::Nothing")]
#[tokio::test]
async fn a_resource_type_that_the_cloud_does_not_have(#[case] kind: &str) {
    let cloud = cloud().await;
    let document = own(&format!("own:\n  type: {kind}\n  properties: {{pool: public}}"));
    if let Err(faults) = tempest_operator::scenario::load_file_text("own.yaml", &document) {
        // Known before any cloud is asked.
        let [fault] = faults.as_slice() else { panic!("{faults:#?}") };
        assert!(fault.message.contains(kind) && fault.line.is_some() && !fault.help.is_empty(), "{fault}");
    } else {
        let played = Player::of_text(&cloud, &document).play().await;
        let test = played.only();
        assert_ne!(test.outcome, Outcome::Passed);
        assert!(test.message.as_ref().unwrap().contains(kind), "{test:#?}");
    }
    clean(&cloud);
}

#[tokio::test]
async fn an_application_credential_that_heat_cannot_use() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[ZONE, WITHOUT_HEAT]).patient(10);
    player.spec.cloud.primary = Some("demo-appcred".to_owned());
    let played = player.play().await;
    let facts = played.report.facts.as_ref().unwrap();
    assert!(facts.warnings.iter().any(|warning| warning.contains("application credential")), "{facts:#?}");
    let other = played.test(WITHOUT_HEAT);
    assert_eq!(other.outcome, Outcome::Passed, "{other:#?}");
    let test = played.test(ZONE);
    assert_eq!(test.outcome, Outcome::Errored, "{test:#?}");
    let message = test.message.as_ref().unwrap();
    assert!(
        message.contains("The primary is an application credential")
            && message.contains("Use a user's password")
    );
    assert!(test.failed_step.as_ref().unwrap().evidence.request_id.is_some(), "{test:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_service_that_is_down_is_named_with_its_request() {
    let cloud = cloud().await;
    let scope = Scope {
        service: Some(tempest_operator::simcloud::Service::Orchestration),
        method: Some(http::Method::POST),
        ..Scope::default()
    };
    cloud.faults().inject_in(Fault::Answer(500), scope);
    let played = Player::of(&cloud, &[ZONE]).play().await;
    failed(&played, Reason::ServiceError, &["Heat did not create stack"]);
    let evidence = &played.only().failed_step.as_ref().unwrap().evidence;
    assert_eq!((evidence.service.as_deref(), evidence.http_status), (Some("orchestration"), Some(500)));
    assert!(evidence.request_id.is_some(), "{evidence:#?}");
    clean(&cloud);
}
