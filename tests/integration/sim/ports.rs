//! Published ports: on networks of one family and of both, and a cloud that does with them what it should not.

use rstest::rstest;
use tempest_operator::outcome::{Outcome, Reason};
use tempest_operator::runner::event::EventKind;
use tempest_operator::simcloud::Fault;

use super::player::{PORT, Player, clean, cloud};

const DUAL: &str = "published_port_dual_stack";
const DOMAIN: &str = "port_dns_domain_overrides_network";
const SUBNET: &str = "port_with_publishing_subnet";
const RENAME: &str = "port_rename_republishes";
const CLEAR: &str = "port_dns_clear_unpublishes";
const UPDATE: &str = "stack_update_port_rename";

#[rstest]
#[case::ipv4("published", 4)]
#[case::both_families("published-dual", 8)]
#[tokio::test]
async fn a_published_network_has_one_family_or_both(#[case] network: &str, #[case] published: usize) {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[PORT]).patient(10);
    player.spec.cloud.published_network = Some(network.to_owned());
    let played = player.play().await;
    played.passed();
    let all = &played.only().propagation;
    // A port and a server, each with a record and a reverse record of every address.
    assert_eq!(all.iter().filter(|one| one.published).count(), published, "{all:#?}");
    clean(&cloud);
}

#[rstest]
#[case::no_reverse_record(DUAL, "zone", Fault::PtrOff, Reason::RecordMissing, "published", "PTR")]
#[case::wrong_zone_kept(
    DOMAIN,
    "clear-domain",
    Fault::PublicationKept,
    Reason::RecordWrong,
    "published-in-the-networks-zone",
    "PTR"
)]
#[case::unasked_address(
    SUBNET,
    "port",
    Fault::PublicationUnasked,
    Reason::RecordUnexpected,
    "published",
    " A "
)]
#[case::old_name_kept(
    RENAME,
    "rename",
    Fault::PublicationKept,
    Reason::RecordWrong,
    "republished",
    "before."
)]
#[case::new_name_lost(
    UPDATE,
    "rename",
    Fault::PublicationLost,
    Reason::RecordMissing,
    "republished",
    "after."
)]
#[case::cleared_name_kept(
    CLEAR,
    "clear-name",
    Fault::PublicationKept,
    Reason::RecordNotGone,
    "withdrawn-with-its-name",
    "port."
)]
#[tokio::test]
async fn a_cloud_that_publishes_otherwise_is_found_out(
    #[case] scenario: &str,
    #[case] from: &'static str,
    #[case] fault: Fault,
    #[case] reason: Reason,
    #[case] step: &str,
    #[case] word: &str,
) {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[scenario]);
    let faults = cloud.faults().clone();
    player.on_event = Box::new(move |event| match &event.kind {
        EventKind::StepStarted { step, .. } if step == from => {
            faults.inject(fault.clone());
        }
        EventKind::TestCleaningUp { .. } => faults.clear_all(),
        _ => {}
    });
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(reason)), "{test:#?}");
    assert_eq!(test.failed_step.as_ref().unwrap().step, step, "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains(word), "{test:#?}");
    // What Neutron forgot in its own reverse zones is nobody else's to clean.
    let left = cloud.snapshot();
    assert!(left.recordsets.iter().all(|set| set.name.ends_with(".arpa. PTR")), "{left:#?}");
}
