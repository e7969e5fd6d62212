//! The words of a scenario document, each played.

use rstest::rstest;
use tempest_operator::api::scenario::{Limits, Thresholds};
use tempest_operator::outcome::{Outcome, Reason, StepResult};
use tempest_operator::plan;
use tempest_operator::runner::{self, Clock};
use tempest_operator::scenario::load_file_text;
use tempest_operator::simcloud::{Fault, Scope};

use super::player::{Played, Player, clean, cloud};

#[tokio::test]
async fn heat_validates_every_template_of_the_suite_and_makes_nothing() {
    let cloud = cloud().await;
    let mut player = Player::of(&cloud, &[]);
    player.catalogue = player.catalogue.with(load_file_text("own.yaml", &document(WRONG, ZONE)).unwrap());
    player.spec.cloud.alternate = Some("demo2".to_owned());
    player.spec.cloud.admin = Some("admin".to_owned());
    player.spec.cloud.reader = Some("reader".to_owned());
    let inputs = player.inputs();
    let facts = runner::preflight(&inputs, &Clock::system()).await.unwrap();
    let plan = plan::make(&player.spec, &player.catalogue, facts, player.run.clone()).unwrap();
    let refused = runner::refused_templates(&inputs, &plan).await.unwrap();
    let [(scenario, template, message)] = refused.as_slice() else { panic!("{refused:#?}") };
    assert_eq!((scenario.as_str(), template.as_str()), ("user/words", "wrong"));
    assert!(message.contains("ttk"), "{message}");
    clean(&cloud);
}

const WRONG: &str = "
templates:
  wrong: |
    heat_template_version: 2018-08-31
    resources:
      zone:
        type: OS::Designate::Zone
        properties: {name: a.example.org., email: hostmaster@example.org, ttk: 60}
";

/// A scenario with these steps, and what else its spec has.
fn document(more: &str, steps: &str) -> String {
    let indented = |text: &str, by: &str| -> String {
        text.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| [by, line, "\n"]).collect()
    };
    format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestScenario\nmetadata: {{name: words}}\nspec:\n  title: Words\n  \
         variables:\n    - {{name: zone, value: '${{test.prefix}}.${{run.zoneSuffix}}'}}\n{}  steps:\n{}",
        indented(more, "  "),
        indented(steps, "    ")
    )
}

const ZONE: &str = "
- name: zone
  request:
    service: dns
    method: POST
    path: /zones
    body: {name: '${vars.zone}', email: hostmaster@example.org, ttl: 60, description: '${test.description}'}
    expectStatus: [202]
    capture: {zone: body.id}
    undo: {made: {collection: /zones, markedBy: description}}
";

const RECORD: &str = "
- name: empty
  records: {zone: '${vars.zone}', only: true}
- name: publish
  request:
    service: dns
    method: POST
    path: /zones/${captures.zone}/recordsets
    body: {name: 'www.${vars.zone}', type: A, records: [192.0.2.10], description: '${test.description}'}
    undo: {made: {collection: '/zones/${captures.zone}/recordsets', markedBy: description}}
- name: published
  records:
    zone: ${vars.zone}
    present: [{name: 'www.${vars.zone}', type: A, data: 192.0.2.10}]
    only: true
    serialAdvanced: true
- name: withdraw
  undo: {step: publish}
- name: withdrawn
  records:
    zone: ${vars.zone}
    absent: [{name: 'www.${vars.zone}', type: A}]
    only: true
    serialAdvanced: true
";

/// The names of the steps that begin so.
fn labels<'a>(played: &'a Played, begin: &str) -> Vec<&'a str> {
    let all = played.only().steps.iter().map(|step| step.step.as_str());
    all.filter(|label| label.starts_with(begin)).collect()
}

fn step<'a>(played: &'a Played, label: &str) -> &'a StepResult {
    let found = played.only().steps.iter().find(|step| step.step == label);
    found.unwrap_or_else(|| panic!("no {label} in {:#?}", played.report))
}

#[tokio::test]
async fn every_modifier_does_what_it_says() {
    let cloud = cloud().await;
    let text = document(
        "",
        &format!(
            "{ZONE}
- name: hers
  as: alternate
  expect: {{service: dns, path: '/zones/${{captures.zone}}', that: [status == 404]}}
- name: left-out
  when: '!facts.ptr'
  expect: {{service: dns, path: /zones, that: ['false']}}
- name: each
  when: facts.ptr
  forEach: [2, '${{test.prefix}}']
  expect: {{service: dns, path: /zones, that: [item == 2 || item == test.prefix]}}
- name: one
  group: together
  expect: {{service: dns, path: /zones, that: [status == 200], holds: 300ms}}
- name: other
  group: together
  expect: {{service: dns, path: /zones, that: [status == 200], holds: 300ms}}
- name: finding
  report: true
  within: 200ms
  expect: {{service: dns, path: '/zones/${{captures.zone}}', that: [body.ttl == 61]}}
"
        ),
    );
    let mut player = Player::of_text(&cloud, &text).patient(100);
    player.spec.cloud.alternate = Some("demo2".to_owned());
    let played = player.play().await;
    played.passed();
    let test = played.only();
    let [left_out] = test.skipped_steps.as_slice() else { panic!("{test:#?}") };
    assert_eq!(
        (left_out.step.as_str(), left_out.message.as_str()),
        ("left-out", "left out: '!facts.ptr' is false")
    );
    assert_eq!(labels(&played, "each"), ["each[0]", "each[1]"]);
    let (one, other) = (step(&played, "one"), step(&played, "other"));
    assert!(one.duration_ms >= 300 && other.duration_ms >= 300, "{one:?} {other:?}");
    assert!(other.started_ms < one.started_ms + one.duration_ms, "one after the other: {one:?} {other:?}");
    let [finding] = test.findings.as_slice() else { panic!("{test:#?}") };
    assert_eq!(finding.step, "finding");
    assert!(finding.message.contains("expected body.ttl == 61, but it is 60"), "{finding:?}");
    // Without `within` it would have taken five minutes.
    let took = step(&played, "finding");
    assert!((200..60_000).contains(&took.duration_ms), "{took:?}");
    clean(&cloud);
}

#[tokio::test]
async fn a_repeated_scenario_makes_its_own_things_each_time_and_is_one_test() {
    let cloud = cloud().await;
    let text = document("repeat: {count: 3, concurrency: 2}", &format!("{ZONE}{RECORD}"));
    let played = Player::of_text(&cloud, &text).patient(10).play().await;
    played.passed();
    assert_eq!(labels(&played, "zone"), ["zone #1", "zone #2", "zone #3"]);
    let test = played.only();
    let mut names: Vec<&str> = test.propagation.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        (test.propagation.len(), names.len()),
        (6, 3),
        "published and withdrawn, each time under another name"
    );
    for measured in test.propagation.iter().filter(|one| one.published) {
        let times = [
            measured.api_ms,
            measured.first_name_server_ms,
            measured.all_name_servers_ms,
            measured.active_ms,
        ];
        assert!(times.iter().all(Option::is_some), "{measured:?}");
    }
    let status = tempest_operator::report::status::status(&played.report);
    let published = status.propagation.unwrap().published.unwrap();
    assert_eq!((published.all.count, published.name_servers.len()), (3, 2), "{published:?}");
    assert_eq!(played.kept.document(), None, "the ledger is not gone");
    clean(&cloud);
}

#[tokio::test]
async fn the_first_repetition_that_fails_ends_the_test_and_leaves_nothing() {
    let cloud = cloud().await;
    let check = "
- name: check
  within: 1s
  expect: {service: dns, path: '/zones/${captures.zone}', that: [\"!test.prefix.endsWith('n2')\"]}
";
    let text = document("repeat: {count: 9}", &format!("{ZONE}{check}"));
    let played = Player::of_text(&cloud, &text).play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(Reason::ExpectationNotMet)));
    assert!(test.message.as_ref().unwrap().starts_with("repetition 2 of 9: "), "{test:#?}");
    assert_eq!(test.failed_step.as_ref().unwrap().step, "check #2");
    assert_eq!(labels(&played, "zone"), ["zone #1", "zone #2"], "no further one began");
    clean(&cloud);
}

#[rstest]
#[case::of_the_scenario(true)]
#[case::of_the_run(false)]
#[tokio::test]
async fn a_test_that_takes_longer_than_its_thresholds_has_failed(#[case] own: bool) {
    let cloud = cloud().await;
    let more = if own { "thresholds: {withdrawn: {maxMs: 1}, published: {p95Ms: 3600000}}" } else { "" };
    let mut player = Player::of_text(&cloud, &document(more, &format!("{ZONE}{RECORD}"))).patient(10);
    if !own {
        let withdrawn = Some(Limits { max_ms: Some(1), ..Limits::default() });
        player.spec.execution.thresholds = Some(Thresholds { withdrawn, published: None });
    }
    let played = player.play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(Reason::PropagationTooSlow)), "{test:#?}");
    let evidence = &test.failed_step.as_ref().unwrap().evidence;
    assert_eq!(evidence.expected.as_deref(), Some("withdrawn max <= 1 ms"));
    let servers: Vec<String> = cloud.name_servers().iter().map(ToString::to_string).collect();
    assert!(servers.contains(evidence.name_server.as_ref().unwrap()), "{evidence:?}");
    clean(&cloud);
}

#[tokio::test]
async fn an_answer_that_is_not_as_asserted_fails_with_what_it_is() {
    let cloud = cloud().await;
    let text = document(
        "",
        &ZONE.replace("capture:", "that: [body.ttl == 60, body.status == 'ACTIVE']\n    capture:"),
    );
    let played = Player::of_text(&cloud, &text).play().await;
    let test = played.only();
    assert_eq!((test.outcome, test.reason), (Outcome::Failed, Some(Reason::ExpectationNotMet)), "{test:#?}");
    let evidence = &test.failed_step.as_ref().unwrap().evidence;
    assert_eq!(
        (evidence.method.as_deref(), evidence.expected.as_deref(), evidence.observed.as_deref()),
        (Some("POST"), Some("body.status == 'ACTIVE'"), Some("PENDING"))
    );
    clean(&cloud);
}

#[tokio::test]
async fn a_stack_made_by_a_request_from_a_template_is_undone_as_a_stack() {
    let cloud = cloud().await;
    let more = "
templates:
  zone: |
    heat_template_version: 2018-08-31
    parameters:
      zone_name: {type: string}
    resources:
      zone:
        type: OS::Designate::Zone
        properties: {name: {get_param: zone_name}, email: hostmaster@example.org}
";
    let steps = "
- name: raw
  request:
    service: orchestration
    method: POST
    path: /stacks
    body: {stack_name: '${test.prefix}-raw', template: '${templates.zone}', parameters: {zone_name: '${vars.zone}'}}
    expectStatus: [201]
    capture: {id: body.stack.id}
    undo: {made: {collection: /stacks, markedBy: stack_name}}
- name: complete
  expect:
    service: orchestration
    path: /stacks/${test.prefix}-raw/${captures.id}
    that: [body.stack.stack_status == 'CREATE_COMPLETE']
- name: served
  records: {zone: '${vars.zone}', only: true}
";
    let played = Player::of_text(&cloud, &document(more, steps)).patient(10).play().await;
    played.passed();
    assert!(played.only().leaked.is_empty(), "it was not in the ledger: {:#?}", played.report);
    clean(&cloud);
}

/// The second attempt finds nothing, because the first has taken it away.
#[tokio::test]
async fn a_delete_whose_answer_is_lost_is_done() {
    let text = document(
        "",
        "
- name: network
  request:
    service: network
    method: POST
    path: /networks
    body: {network: {name: '${test.prefix}', description: '${test.description}'}}
    capture: {network: body.network.id}
    undo: {made: {collection: /networks, markedBy: description}}
- name: away
  request: {service: network, method: DELETE, path: '/networks/${captures.network}', expectStatus: [204]}
- name: gone
  expect: {service: network, path: '/networks/${captures.network}', that: [status == 404]}
",
    );
    let cloud = cloud().await;
    let scope = Scope { method: Some(http::Method::DELETE), times: Some(1), ..Scope::default() };
    cloud.faults().inject_in(Fault::AnswerLost, scope);
    Player::of_text(&cloud, &text).patient(100).play().await.passed();
    let requests = cloud.requests().latest;
    let deletes = requests.iter().filter(|one| one.method == "DELETE" && one.target.contains("/networks/"));
    assert!(deletes.count() > 1, "the answer was not lost");
    clean(&cloud);
}
