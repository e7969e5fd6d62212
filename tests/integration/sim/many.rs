//! Many tests at once, in one process.

use super::player::{Player, clean, cloud};

const ZONE_ONLY: &str = r"
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: NAME}
spec:
  title: A zone is served
  needs: {services: [orchestration, dns]}
  variables:
    - {name: zone, value: '${test.prefix}.${run.zoneSuffix}'}
  templates:
    zone: |
      heat_template_version: 2021-04-16
      parameters:
        zone_name: {type: string}
        owner: {type: string}
      resources:
        zone:
          type: OS::Designate::Zone
          properties:
            name: {get_param: zone_name}
            email: hostmaster@example.org
            ttl: 60
            description: {get_param: owner}
  steps:
    - name: zone
      stack:
        action: create
        name: zone
        template: zone
        parameters: {zone_name: '${vars.zone}', owner: '${test.description}'}
    - name: served
      records:
        zone: ${vars.zone}
        absent:
          - {name: 'nothing.${vars.zone}', type: A}
        only: true
";

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_tests_at_once_pass_and_leave_nothing() {
    let cloud = cloud().await;
    let copies: Vec<String> =
        (1..=200).map(|number| ZONE_ONLY.replace("NAME", &format!("zone-{number}"))).collect();
    let document = copies.join("---");
    let mut player = Player::of_text(&cloud, &document).patient(100);
    player.arrange = Box::new(|plan| plan.settings.max_parallel = 200);
    let played = player.play().await;
    played.passed();
    assert_eq!(played.report.summary.passed, 200);
    clean(&cloud);
}
