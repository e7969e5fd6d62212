//! Users' own scenarios, played.

use tempest_operator::api::tempest_run::ScenarioSelector;
use tempest_operator::outcome::{Outcome, Reason};

use super::player::{Player, clean, cloud};
use crate::support::repository;

#[tokio::test]
async fn the_example_passes_and_is_called_after_its_object() {
    let cloud = cloud().await;
    let text = std::fs::read_to_string(repository("examples/tempestscenario.yaml")).unwrap();
    let mut player = Player::of_text(&cloud, &text);
    player.spec.scenarios.selector = Some(ScenarioSelector::default());
    player.spec.scenarios.include = vec!["user/*".to_owned()];
    let played = player.play().await;
    played.passed();
    assert_eq!(played.only().name, "user/web-zone");
    clean(&cloud);
}

#[tokio::test]
async fn a_scenario_deletes_nothing_that_it_did_not_make() {
    let cloud = cloud().await;
    let text = "
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: greedy}
spec:
  title: It takes what is not its own
  steps:
    - name: look
      expect:
        service: network
        path: /networks
        that: [size(body.networks) > 0]
        capture: {id: 'body.networks[0].id'}
    - name: take
      request: {service: network, method: DELETE, path: '/networks/${captures.id}'}
";
    let played = Player::of_text(&cloud, text).play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Errored, Some(Reason::ServiceError)), "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains("this test did not make it"), "{test:#?}");
    let deleted = cloud.requests().latest.iter().any(|request| request.method == "DELETE");
    assert!(!deleted, "it was sent");
}
