//! The contract between the clouds: the same calls are played against the real OpenStack and against the simulated
//! one, and both must give the answers that are kept in `tests/fixtures/contract`.
//!
//! The kept answers are the real cloud's; `CONTRIBUTING.md` tells how to record them.

mod client;
mod cloud;
mod play;
mod shape;

use rstest::rstest;
use tempest_operator::simcloud::{SimCloud, SimOptions};

use self::cloud::Cloud;
use crate::support::testbed;

#[rstest]
#[tokio::test]
async fn the_simulated_cloud_keeps_the_contract(
    #[values("compute", "dns", "floating-ips", "identity", "image", "network", "orchestration", "templates")]
    calls: &str,
) {
    let simulated = SimCloud::start(SimOptions::default()).await.unwrap();
    let cloud = Cloud::new(&simulated.clouds_yaml(), simulated.zone_suffix());
    compare(calls, &play::play(calls, &cloud).await);
}

#[rstest]
#[tokio::test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
async fn the_real_cloud_keeps_the_contract(
    #[values("compute", "dns", "floating-ips", "identity", "image", "network", "orchestration", "templates")]
    calls: &str,
) {
    let clouds = std::fs::read_to_string(testbed("TESTBED_CLOUDS_YAML")).unwrap();
    let cloud = Cloud::new(&clouds, &testbed("TESTBED_ZONE_SUFFIX"));
    compare(calls, &play::play(calls, &cloud).await);
}

/// Holds the answers against the kept ones.
fn compare(calls: &str, answers: &[play::Answered]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../fixtures/contract");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_yaml_snapshot!(calls, answers));
}
