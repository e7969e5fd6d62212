//! What stands between us and a service answers in its place, cuts its answers, or sends elsewhere.
//! `docs/operations.md` has this table for people. And the clock is set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use tempest_operator::openstack::RetryPolicy;
use tempest_operator::outcome::{Outcome, Reason, Verdict};
use tempest_operator::runner::Clock;
use tempest_operator::runner::event::EventKind;
use tempest_operator::simcloud::{Fault, Scope, Service};

use super::player::{Played, Player, ZONE, clean, cloud};

const EVERY: Option<u32> = None;
const ONCE: Option<u32> = Some(1);

/// Heat is asked to make the first stack.
const CHANGE: Call = Call { step: "control", service: Service::Orchestration, method: Method::POST };
/// Designate is asked for what Heat made.
const QUESTION: Call = Call { step: "created", service: Service::Dns, method: Method::GET };

/// The calls that go wrong.
struct Call {
    step: &'static str,
    service: Service,
    method: Method,
}

/// Plays with a cloud that answers a call so until the test cleans up.
async fn played(fault: Fault, call: Call, times: Option<u32>) -> Played {
    let cloud = cloud().await;
    let scope = Scope { service: Some(call.service), method: Some(call.method), times, ..Scope::default() };
    // Every call but the one that goes wrong must be answered, however busy this machine is.
    let mut player = Player::of(&cloud, &[ZONE]).patient(5);
    if fault == Fault::Hang {
        player.options.request_timeout = Duration::from_secs(2);
    }
    player.options.retry = RetryPolicy { base: Duration::from_millis(10), ..RetryPolicy::default() };
    let faults = cloud.faults().clone();
    player.on_event = Box::new(move |event| match &event.kind {
        EventKind::StepStarted { step, .. } if step == call.step => {
            faults.inject_in(fault.clone(), scope.clone());
        }
        EventKind::TestCleaningUp { .. } => faults.clear_all(),
        _ => {}
    });
    let played = player.play().await;
    clean(&cloud);
    played
}

fn elsewhere() -> Fault {
    Fault::Redirect("http://169.254.169.254/latest".to_owned())
}

#[rstest]
#[case::status_500(Fault::Answer(500), Reason::ServiceError, "500")]
#[case::status_502(Fault::Answer(502), Reason::ServiceError, "502")]
#[case::status_503(Fault::Answer(503), Reason::ServiceError, "503")]
#[case::status_504(Fault::Answer(504), Reason::ServiceError, "504")]
#[case::status_429(Fault::Answer(429), Reason::ServiceError, "429")]
#[case::status_401(Fault::Answer(401), Reason::AuthenticationFailed, "401")]
#[case::redirect(elsewhere(), Reason::ServiceError, "it redirects, which is not followed")]
#[case::login_page(Fault::HtmlPage(200), Reason::ServiceError, "expected JSON, got text/html")]
#[case::reset(Fault::Reset, Reason::CloudUnreachable, "reset")]
#[case::hang(Fault::Hang, Reason::CloudUnreachable, "the answer took too long")]
#[tokio::test]
async fn what_lasts_is_an_error_that_says_what_came(
    #[case] fault: Fault,
    #[case] reason: Reason,
    #[case] words: &str,
    #[values(CHANGE, QUESTION)] call: Call,
) {
    errs(fault, call, reason, words).await;
}

#[rstest]
#[case::half_a_body(Fault::HalfBody, Reason::CloudUnreachable, "cannot be reached")]
#[case::huge_body(Fault::HugeBody, Reason::ServiceError, "the answer has more than 8388608 bytes")]
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_error_that_says_so(
    #[case] fault: Fault,
    #[case] reason: Reason,
    #[case] words: &str,
) {
    errs(fault, QUESTION, reason, words).await;
}

async fn errs(fault: Fault, call: Call, reason: Reason, words: &str) {
    let played = played(fault, call, EVERY).await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Errored, Some(reason)), "{test:#?}");
    assert_eq!(played.report.verdict, Some(Verdict::Errored));
    assert!(test.message.as_ref().unwrap().contains(words), "{test:#?}");
}

/// Designate says so that a quota is used up; and a 404 may just as well be the service's own.
#[rstest]
#[case::over_quota(Fault::Answer(413), "413")]
#[case::proxys_404(Fault::HtmlPage(404), "404 Not Found proxy-7")]
#[tokio::test]
async fn what_may_be_the_services_no_is_a_failure(
    #[case] fault: Fault,
    #[case] words: &str,
    #[values(CHANGE, QUESTION)] call: Call,
) {
    let played = played(fault, call, EVERY).await;
    let test = played.only();
    assert_eq!(test.outcome, Outcome::Failed, "{test:#?}");
    assert!(test.message.as_ref().unwrap().contains(words), "{test:#?}");
}

#[rstest]
#[case::answer_lost(Fault::AnswerLost)]
#[case::half_a_body(Fault::HalfBody)]
#[case::huge_body(Fault::HugeBody)]
#[tokio::test]
async fn a_change_whose_answer_is_unreadable_is_looked_up_and_goes_on(#[case] fault: Fault) {
    played(fault, CHANGE, EVERY).await.passed();
}

#[rstest]
#[case::status_502(Fault::Answer(502))]
#[case::status_429(Fault::Answer(429))]
#[case::status_401(Fault::Answer(401))]
#[case::reset(Fault::Reset)]
#[case::hang(Fault::Hang)]
#[case::half_a_body(Fault::HalfBody)]
#[tokio::test]
async fn a_question_that_failed_once_is_asked_again(#[case] fault: Fault) {
    played(fault, QUESTION, ONCE).await.passed();
}

#[tokio::test]
async fn json_is_read_whatever_it_is_said_to_be() {
    played(Fault::WrongContentType, QUESTION, EVERY).await.passed();
    played(Fault::WrongContentType, CHANGE, EVERY).await.passed();
}

/// Waiting goes by a clock that nobody sets; what people set may go any way.
#[tokio::test]
async fn a_clock_that_is_set_forth_and_back_changes_nothing_but_the_times_that_are_told() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[ZONE]);
    let looks = AtomicI64::new(0);
    player.clock = Clock::new(move || {
        let look = looks.fetch_add(1, Ordering::Relaxed);
        Timestamp::now() + Duration::from_hours(9) - SignedDuration::from_hours(look)
    });
    let played = player.play().await;
    played.passed();
    let (test, took) = (played.only(), played.report.duration());
    assert!(test.duration_ms < 60_000 && took == Some(Duration::ZERO), "{took:?} {test:#?}");
    clean(&cloud);
}
