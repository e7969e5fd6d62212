//! A cloud that is broken in one way fails the right test for the right reason, and nothing is left behind.

use std::time::Duration;

use rstest::rstest;
use tempest_operator::outcome::{Outcome, Reason, Verdict};
use tempest_operator::runner::event::EventKind;
use tempest_operator::simcloud::{Fault, NameServerMode, RecordedRequest, Scope, SimCloud};

use super::player::{FIP_OWN, FIP_PORT, Played, Player, ZONE, clean, cloud};

/// Plays `scenario` while the cloud is broken from the beginning of step `from` until the test cleans up.
async fn broken(cloud: &SimCloud, scenario: &str, from: &'static str, fault: Fault, scope: Scope) -> Played {
    let mut player = Player::of(cloud, &[scenario]);
    let faults = cloud.faults().clone();
    player.on_event = Box::new(move |event| match &event.kind {
        EventKind::StepStarted { step, .. } if step == from => {
            faults.inject_in(fault.clone(), scope.clone());
        }
        EventKind::TestCleaningUp { .. } => faults.clear_all(),
        _ => {}
    });
    player.play().await
}

fn second(mode: NameServerMode) -> Fault {
    Fault::NameServer { index: 1, mode }
}

#[rstest]
#[case::no_reverse_records(FIP_OWN, "zone", Fault::PtrOff, Reason::RecordMissing, "published", "PTR")]
#[case::publication_lost(
    FIP_OWN,
    "zone",
    Fault::PublicationLost,
    Reason::RecordMissing,
    "published",
    "public."
)]
#[case::publication_kept(
    FIP_OWN,
    "zone",
    Fault::PublicationKept,
    Reason::RecordNotGone,
    "withdrawn",
    "public."
)]
#[case::address_lost(
    FIP_OWN,
    "floating-ip",
    Fault::LostAddress,
    Reason::RecordMissing,
    "published",
    "public."
)]
#[case::wrong_address(
    FIP_OWN,
    "floating-ip",
    Fault::WrongAddress,
    Reason::RecordWrong,
    "published",
    "public."
)]
#[case::record_left_behind(
    FIP_OWN,
    "delete",
    Fault::RecordLeftBehind,
    Reason::RecordNotGone,
    "withdrawn",
    "public."
)]
#[case::serial_stuck(
    FIP_OWN,
    "floating-ip",
    Fault::SerialStuck,
    Reason::SerialNotAdvanced,
    "published",
    "serial"
)]
#[case::wrong_ttl(FIP_OWN, "floating-ip", Fault::WrongTtl, Reason::RecordWrong, "published", "TTL")]
#[case::stale(
    FIP_OWN,
    "floating-ip",
    second(NameServerMode::Stale),
    Reason::RecordMissing,
    "published",
    "public."
)]
#[case::refused(
    FIP_OWN,
    "published",
    second(NameServerMode::Refused),
    Reason::RecordMissing,
    "published",
    "REFUSED"
)]
#[case::not_authoritative(
    FIP_OWN,
    "published",
    second(NameServerMode::NotAuthoritative),
    Reason::RecordWrong,
    "published",
    "AA"
)]
#[tokio::test]
async fn dns_that_tells_no_truth_fails_the_test(
    #[case] scenario: &str,
    #[case] from: &'static str,
    #[case] fault: Fault,
    #[case] reason: Reason,
    #[case] step: &str,
    #[case] word: &str,
) {
    let cloud = cloud().await;
    let of_second = matches!(fault, Fault::NameServer { .. });
    let played = broken(&cloud, scenario, from, fault, Scope::default()).await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(reason)), "{test:#?}");
    assert_eq!(played.report.verdict, Some(Verdict::Failed));
    let failed = test.failed_step.as_ref().unwrap();
    assert_eq!(failed.step, step, "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains(word), "{test:#?}");
    if reason != Reason::SerialNotAdvanced {
        assert_eq!(failed.evidence.service.as_deref(), Some("dns-wire"), "{test:#?}");
        assert!(failed.evidence.expected.is_some() && failed.evidence.observed.is_some(), "{test:#?}");
    }
    if of_second {
        let told = failed.evidence.name_server.clone().unwrap_or_default();
        assert!(told.contains(&cloud.name_servers()[1].port().to_string()), "{test:#?}");
    }
    if step == "withdrawn" && reason == Reason::RecordNotGone && from == "zone" {
        // Neutron kept it in its own reverse zone, which is nobody else's to clean.
        let left = cloud.snapshot();
        assert!(left.recordsets.iter().all(|set| set.name.ends_with(".arpa. PTR")), "{left:#?}");
        return;
    }
    clean(&cloud);
}

#[rstest]
#[case::stopped(NameServerMode::Stopped, "udp")]
#[case::silent(NameServerMode::Silent, "udp")]
#[case::servfail(NameServerMode::ServFail, "udp")]
#[case::udp_only(NameServerMode::UdpOnly, "tcp")]
#[case::tcp_only(NameServerMode::TcpOnly, "udp")]
#[tokio::test]
async fn a_name_server_that_does_not_answer_is_an_error(
    #[case] mode: NameServerMode,
    #[case] transport: &str,
) {
    let cloud = cloud().await;
    let played = broken(&cloud, FIP_OWN, "published", second(mode), Scope::default()).await;
    let test = played.only();
    assert_eq!(
        (test.outcome, test.reason),
        (Outcome::Errored, Some(Reason::NameServerUnanswering)),
        "{test:#?}"
    );
    assert_eq!(played.report.verdict, Some(Verdict::Errored));
    let evidence = &test.failed_step.as_ref().unwrap().evidence;
    assert_eq!(evidence.service.as_deref(), Some("dns-wire"));
    assert!(evidence.method.as_ref().unwrap().eq_ignore_ascii_case(transport), "{evidence:#?}");
    let server = evidence.name_server.as_ref().unwrap();
    assert!(server.contains(&cloud.name_servers()[1].port().to_string()), "{evidence:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_name_server_that_truncates_is_asked_over_tcp() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[FIP_OWN]).patient(10);
    cloud.faults().inject(second(NameServerMode::Truncating));
    player.spec.execution.max_parallel = Some(1);
    player.play().await.passed();
    clean(&cloud);
}

#[rstest]
#[case::worker_stopped(ZONE, "control", Fault::WorkerStopped, "", Reason::StackNotComplete, "Zone")]
#[case::server_stuck(
    FIP_PORT,
    "servers",
    Fault::ServerStuck,
    "",
    Reason::StackNotComplete,
    "OS::Nova::Server"
)]
#[case::server_error(FIP_PORT, "servers", Fault::ServerError, "", Reason::StackFailed, "host")]
#[tokio::test]
async fn a_stack_that_does_not_complete_names_the_resource(
    #[case] scenario: &str,
    #[case] from: &'static str,
    #[case] fault: Fault,
    #[case] name: &str,
    #[case] reason: Reason,
    #[case] word: &str,
) {
    let cloud = cloud().await;
    let scope = Scope { name: (!name.is_empty()).then(|| name.to_owned()), ..Scope::default() };
    let played = broken(&cloud, scenario, from, fault, scope).await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(reason)), "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains(word), "{test:#?}");
    let evidence = &test.failed_step.as_ref().unwrap().evidence;
    assert_eq!(evidence.service.as_deref(), Some("orchestration"), "{test:#?}");
    clean(&cloud);
}

/// Waits until it was asked so often how the test's zones stand.
async fn zones_looked_at(cloud: &SimCloud, times: usize) {
    let looks = |request: &&RecordedRequest| {
        request.target.contains("/zones?name=to-") && request.target.contains('*')
    };
    while cloud.requests().latest.iter().filter(looks).count() < times {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_name_server_that_was_late_is_not_blamed_for_a_server() {
    let cloud = cloud().await;
    cloud.faults().inject(Fault::ServerStuck);
    let late = cloud.faults().inject(second(NameServerMode::ServFail));
    let player = Player::of_text(&cloud, include_str!("zone_and_server.yaml"));
    let mends = async {
        // Nothing else asks the name servers: the first question to the late one is that of the first look.
        while cloud.requests().dns_questions.get(1).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cloud.faults().clear(late);
        std::future::pending::<()>().await;
    };
    let played = tokio::select! {
        played = player.play() => played,
        () = mends => unreachable!(),
    };
    let test = played.only();
    assert_eq!(test.reason, Some(Reason::StackNotComplete), "{test:#?}");
    let message = test.message.as_deref().unwrap();
    assert!(message.contains("OS::Nova::Server") && !message.contains("name server"), "{message}");
    assert_eq!(test.failed_step.as_ref().unwrap().evidence.name_server, None, "{test:#?}");
}

#[tokio::test]
async fn a_name_server_that_kept_a_zone_from_becoming_active_is_named_though_the_end_does_not_show_it() {
    let cloud = cloud().await;
    let servfail = |index| Fault::NameServer { index, mode: NameServerMode::ServFail };
    cloud.faults().inject(servfail(1));
    let faults = cloud.faults().clone();
    let mut player = Player::of(&cloud, &[ZONE]);
    player.on_event = Box::new(move |event| {
        if matches!(event.kind, EventKind::TestCleaningUp { .. }) {
            faults.clear_all();
        }
    });
    // Both stacks have looked twice by then: none serves the zone any more, as while Heat deletes it to make it again.
    let breaks = async {
        zones_looked_at(&cloud, 4).await;
        cloud.faults().inject(servfail(0));
        std::future::pending::<()>().await;
    };
    let played = tokio::select! {
        played = player.play() => played,
        () = breaks => unreachable!(),
    };
    let test = played.only();
    assert_eq!(test.reason, Some(Reason::StackNotComplete), "{test:#?}");
    let message = test.message.as_deref().unwrap();
    let [first, second] = [0, 1].map(|at| cloud.name_servers()[at].to_string());
    let (_, earlier) = message.split_once("; earlier zone ").unwrap_or_else(|| panic!("{message}"));
    assert!(earlier.contains(&format!("{first} serves it")) && earlier.contains("SERVFAIL"), "{message}");
    let evidence = &test.failed_step.as_ref().unwrap().evidence;
    assert!(evidence.name_server.as_deref().is_some_and(|server| server.contains(&second)), "{test:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_stack_that_is_complete_without_its_resource_fails() {
    let cloud = cloud().await;
    let scope = Scope { name: Some("OS::Neutron::FloatingIP".to_owned()), ..Scope::default() };
    let played = broken(&cloud, FIP_OWN, "floating-ip", Fault::EmptyStack, scope).await;
    let test = played.only();
    assert_eq!(
        (test.outcome, test.failed_step.as_ref().unwrap().step.as_str()),
        (Outcome::Failed, "read-back"),
        "{test:#?}"
    );
    clean(&cloud);
}

#[tokio::test]
async fn what_a_delete_leaves_is_told_as_leaked_and_removed() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[FIP_OWN]);
    cloud.faults().inject(Fault::FloatingIpLeftBehind);
    let faults = cloud.faults().clone();
    player.on_event = Box::new(move |event| {
        if matches!(event.kind, EventKind::TestCleaningUp { .. }) {
            faults.clear_all();
        }
    });
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(Reason::RecordNotGone)), "{test:#?}");
    // It held back the router, and with that the whole network's stack, until the audit had removed it.
    let leak =
        test.leaked.iter().find(|leak| leak.kind == "floatingip").unwrap_or_else(|| panic!("{test:#?}"));
    assert_eq!((leak.service.as_str(), leak.removed), ("network", true), "{leak:#?}");
    assert!(test.leaked.iter().all(|leak| leak.removed && !leak.id.is_empty()), "{test:#?}");
    // Its zone was gone by then, and so Neutron leaves the reverse record in its own zone, as the real one does.
    let mut left = cloud.snapshot();
    left.recordsets.retain(|set| !set.name.ends_with(".arpa. PTR"));
    assert!(left.is_clean(), "{left:#?}");
}

#[tokio::test]
async fn a_wrong_dns_endpoint_is_named() {
    let cloud = cloud().await;
    cloud.faults().inject(Fault::WrongDnsEndpoint);
    let played = Player::of(&cloud, &[ZONE]).play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(Reason::ExpectationNotMet)), "{test:#?}");
    let evidence = &test.failed_step.as_ref().unwrap().evidence;
    assert_eq!((evidence.service.as_deref(), evidence.http_status), (Some("dns"), Some(404)), "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains("dns service answered 404"), "{test:#?}");
    clean(&cloud);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_up_and_nothing_is_made_twice() {
    use tempest_operator::simcloud::Service;
    let cloud = cloud().await;
    let scope = Scope {
        service: Some(Service::Orchestration),
        method: Some(http::Method::POST),
        times: Some(1),
        ..Scope::default()
    };
    cloud.faults().inject_in(Fault::AnswerLost, scope);
    Player::of(&cloud, &[ZONE]).patient(10).play().await.passed();
    clean(&cloud);
}
