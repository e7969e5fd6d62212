//! What passes, passes: by the library and by `try`.

use rstest::rstest;
use tempest_operator::outcome::Outcome;

use super::player::{ALL, FIP_OWN, FIP_PORT, Player, clean, cloud};
use crate::support::{binary, finish, told};

#[rstest]
#[case::floating_ip_with_name_from_port(ALL[0])]
#[case::floating_ip_with_own_name(ALL[1])]
#[case::port_on_external_net(ALL[2])]
#[case::zone_lifecycle(ALL[3])]
#[tokio::test]
async fn each_scenario_passes_and_leaves_nothing(#[case] name: &str) {
    let cloud = cloud().await;
    let played = Player::of(&cloud, &[name]).patient(10).play().await;
    played.passed();
    let test = played.only();
    assert_eq!(
        (test.outcome, test.leaked.as_slice(), test.skipped_steps.as_slice()),
        (Outcome::Passed, &[][..], &[][..])
    );
    assert!(!test.propagation.is_empty());
    assert_eq!(played.kept.document(), None, "the ledger is not gone");
    clean(&cloud);
}

#[tokio::test]
async fn a_guest_that_looks_up_something_else_fails_the_test() {
    use tempest_operator::simcloud::{Guests, SimCloud, SimOptions, shell};
    tempest_operator::openstack::install_crypto_provider();
    let wrong = |guest: &tempest_operator::simcloud::GuestView| shell(guest).replace("result 1", "result 9");
    let options = SimOptions { guests: Guests::Booted(std::sync::Arc::new(wrong)), ..SimOptions::default() };
    let cloud = SimCloud::start(options).await.unwrap();
    let played = Player::of(&cloud, &[FIP_PORT]).patient(5).play().await;
    let test = played.only();
    assert_eq!(test.reason, Some(tempest_operator::outcome::Reason::GuestAnswerWrong), "{test:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_cloud_whose_guests_do_not_boot_is_still_tested() {
    use tempest_operator::simcloud::{SimCloud, SimOptions};
    tempest_operator::openstack::install_crypto_provider();
    let cloud = SimCloud::start(SimOptions::default()).await.unwrap();
    let played = Player::of(&cloud, &[FIP_PORT]).patient(2).play().await;
    played.passed();
    let [skipped] = played.only().skipped_steps.as_slice() else { panic!("{:#?}", played.report) };
    assert_eq!(skipped.step, "guests");
    assert!(skipped.message.starts_with("no guest boots here"), "{}", skipped.message);
    clean(&cloud);
}

#[rstest]
#[case::table("table")]
#[case::json("json")]
#[case::yaml("yaml")]
fn try_plays_the_suite_in_one_process(#[case] output: &str) {
    let ended = finish(binary().args(["try", "--latency", "zero", "--include", FIP_OWN, "--output", output]));
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    let text = String::from_utf8_lossy(&ended.stdout);
    match output {
        "json" => assert!(text.contains("\"passed\": 1"), "{text}"),
        "yaml" => assert!(text.contains("verdict: Passed") && text.contains(FIP_OWN), "{text}"),
        _ => assert!(text.contains("1 passed of 1 test") && text.contains("ALL NS"), "{text}"),
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}
