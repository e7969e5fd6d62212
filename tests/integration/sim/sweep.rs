//! What earlier runs left, swept before the next one.

use std::time::Duration;

use jiff::Timestamp;
use tempest_operator::plan::RunIdentity;
use tempest_operator::runner::SweepFirst;
use tempest_operator::simcloud::SimCloud;
use uuid::Uuid;

use super::player::{Player, ZONE, clean, cloud};

const DAY: Duration = Duration::from_hours(24);

const FAILS: &str = "
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: fails}
spec:
  title: It makes a zone and fails
  templates:
    zone: |
      heat_template_version: 2018-08-31
      parameters:
        zone_name: {type: string}
        owner: {type: string}
      resources:
        zone:
          type: OS::Designate::Zone
          properties:
            name: {get_param: zone_name}
            email: hostmaster@example.org
            description: {get_param: owner}
  steps:
    - name: zone
      stack:
        action: create
        name: zone
        template: zone
        parameters: {zone_name: '${test.prefix}.${run.zoneSuffix}', owner: '${test.description}'}
    - name: fail
      within: 1s
      expect: {service: dns, path: /zones, that: ['false']}
";

/// A run that began so long ago and whose test leaves everything that it made behind; gives its prefix.
async fn leaves_things_behind(cloud: &SimCloud, ago: Duration, installation: &str) -> String {
    let mut player = Player::of_text(cloud, FAILS).patient(10);
    player.run = RunIdentity::new(installation, Uuid::new_v4(), 1, Timestamp::now() - ago);
    player.arrange = Box::new(|plan| plan.settings.keep_on_failure = DAY);
    let prefix = player.run.prefix();
    player.play().await;
    prefix
}

#[tokio::test]
async fn only_what_is_old_ones_own_and_known_to_nobody_is_swept() {
    let cloud = cloud().await;
    let old = leaves_things_behind(&cloud, 2 * DAY, "fast").await;
    let kept = leaves_things_behind(&cloud, 2 * DAY, "fast").await;
    let young = leaves_things_behind(&cloud, DAY / 2, "fast").await;
    let foreign = leaves_things_behind(&cloud, 2 * DAY, "other").await;
    let is_there = |prefix: &str| format!("{:?}", cloud.snapshot()).contains(prefix);
    for prefix in [&old, &kept, &young, &foreign] {
        assert!(is_there(prefix), "{prefix} left nothing: {:#?}", cloud.snapshot());
    }
    let mut player = Player::of(&cloud, &[ZONE]).patient(10);
    player.sweep = Some(SweepFirst { older_than: DAY, spared: vec![kept.clone()] });
    let played = player.play().await;
    played.passed();
    let warnings = &played.report.facts.as_ref().unwrap().warnings;
    let swept = warnings.iter().filter(|text| text.starts_with("swept ") && text.contains(&old)).count();
    assert!(swept > 0 && swept == warnings.len(), "{warnings:#?}");
    assert!(!is_there(&old), "{:#?}", cloud.snapshot());
    for prefix in [&kept, &young, &foreign] {
        assert!(is_there(prefix), "{prefix} was taken");
    }
    let mut player = Player::of(&cloud, &[ZONE]).patient(10);
    player.sweep = Some(SweepFirst::default());
    player.play().await.passed();
    assert!(!is_there(&kept) && !is_there(&young) && is_there(&foreign));
    player = Player::of(&cloud, &[ZONE]).patient(10);
    player.run = RunIdentity::new("other", Uuid::new_v4(), 1, Timestamp::now());
    player.sweep = Some(SweepFirst::default());
    player.play().await.passed();
    clean(&cloud);
}
