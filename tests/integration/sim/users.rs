//! Users' own scenarios, played.

use rstest::rstest;
use tempest_operator::api::tempest_run::ScenarioSelector;
use tempest_operator::outcome::{Outcome, Reason};

use super::player::{Player, clean, cloud};
use crate::support::repository;

#[rstest]
#[case::a_zone_and_its_record("examples/tempestscenario.yaml", "user/web-zone")]
#[case::a_load_balanced_pair("examples/scenarios/load-balanced-pair.yaml", "user/load-balanced-pair")]
#[tokio::test]
async fn the_examples_pass_and_are_called_after_their_objects(#[case] file: &str, #[case] name: &str) {
    let cloud = cloud().await;
    let text = std::fs::read_to_string(repository(file)).unwrap();
    let mut player = Player::of_text(&cloud, &text).patient(10);
    player.spec.scenarios.selector = Some(ScenarioSelector::default());
    player.spec.scenarios.include = vec!["user/*".to_owned()];
    let played = player.play().await;
    played.passed();
    assert_eq!(played.only().name, name);
    clean(&cloud);
}

/// What was found is somebody else's: nothing is changed or deleted, whatever the step asks for.
#[rstest]
#[case::deleted(
    "request: {service: network, method: DELETE, path: '/networks/${captures.id}'}",
    "this test did not make it"
)]
#[case::changed_and_set_back_by_deleting_it(
    "request: {service: network, method: PUT, path: '/networks/${captures.id}', \
     body: {network: {description: mine}}, undo: {restore: {method: DELETE, path: '/networks/${captures.id}'}}}",
    "was there before"
)]
#[tokio::test]
async fn a_scenario_takes_nothing_that_is_not_its_own(#[case] request: &str, #[case] words: &str) {
    let cloud = cloud().await;
    let text = format!(
        "
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {{name: greedy}}
spec:
  title: It takes what is not its own
  steps:
    - name: look
      expect:
        service: network
        path: /networks
        that: [size(body.networks) > 0]
        capture: {{id: 'body.networks[0].id'}}
    - name: take
      {request}
"
    );
    let played = Player::of_text(&cloud, &text).play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Errored, Some(Reason::ServiceError)), "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains(words), "{test:#?}");
    let sent =
        cloud.requests().latest.iter().any(|request| matches!(request.method.as_str(), "PUT" | "DELETE"));
    assert!(!sent, "it was sent");
}

#[tokio::test]
async fn a_scenario_sets_back_by_deleting_what_its_own_put_made() {
    let cloud = cloud().await;
    let text = "
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: tagging}
spec:
  title: A floating IP is tagged
  steps:
    - name: make
      request:
        service: network
        method: POST
        path: /floatingips
        body: {floatingip: {floating_network_id: '${facts.floatingNetwork}', description: '${test.description}'}}
        capture: {id: body.floatingip.id}
        undo: {made: {collection: /floatingips, markedBy: description}}
    - name: tag
      request:
        service: network
        method: PUT
        path: '/floatingips/${captures.id}/tags/mine'
        undo: {restore: {method: DELETE, path: '/floatingips/${captures.id}/tags/mine'}}
";
    Player::of_text(&cloud, text).play().await.passed();
    let deleted = |path: &str| {
        let latest = cloud.requests().latest;
        latest.iter().any(|request| request.method == "DELETE" && request.target.ends_with(path))
    };
    assert!(deleted("/tags/mine"), "{:#?}", cloud.requests().latest);
    clean(&cloud);
}
