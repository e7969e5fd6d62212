use super::*;
use crate::scenario::Faults;
use rstest::rstest;

/// One of everything, all of it right.
pub(in crate::scenario) const GOOD: &str = r#"apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata:
  name: all-kinds
spec:
  id: 0f6c3e1e-54d7-4f0a-9d1b-0a4b7a3c2d01
  title: One of everything
  tags: [smoke]
  variables:
    - {name: zone, value: "${test.prefix}.${run.zoneSuffix}"}
    - {name: name, value: "www.${vars.zone}"}
  templates:
    zone: |
      heat_template_version: 2021-04-16
      parameters:
        zone_name: {type: string}
        ttl: {type: number, default: 60}
      resources:
        zone:
          type: OS::Designate::Zone
          properties:
            name: {get_param: zone_name}
            ttl: {get_param: ttl}
            email: hostmaster@example.org
      outputs:
        id: {value: {get_resource: zone}}
  steps:
    - name: create
      within: 2m
      stack:
        action: create
        name: zone
        template: zone
        parameters: {zone_name: "${vars.zone}"}
    - name: port
      request:
        service: network
        method: POST
        path: /floatingips
        body:
          floatingip:
            floating_network_id: ${facts.floatingNetwork}
            description: ${test.description}
        capture: {id: body.floatingip.id, address: body.floatingip.floating_ip_address}
        undo: {made: {collection: /floatingips, markedBy: description}}
    - name: look
      expect:
        service: dns
        path: /zones/${stacks.zone.outputs.id}/recordsets?limit=100
        pages: recordsets
        that: ["status == 200", "size(body.recordsets) == 2"]
    - name: truth
      records:
        zone: ${vars.zone}
        present:
          - {name: "${vars.name}", type: A, data: ["${captures.address}"], ttl: 60, when: facts.ptr}
        only: true
        serialAdvanced: true
    - name: guest
      when: facts.image != null
      guest:
        server: ${captures.id}
        booted: ${test.prefix} booted
        result: ${test.prefix} result
        equals: ${captures.address}
    - name: back
      undo: {step: port}
    - name: update
      stack: {action: update, name: zone, parameters: {ttl: 120}}
    - name: delete
      stack: {action: delete, name: zone, wait: false}
    - name: gone
      stack: {action: await, name: zone, until: DELETE_COMPLETE}
"#;

/// What is said of the good document with one thing changed.
pub(in crate::scenario) fn said(good: &str, bad: &str) -> Vec<String> {
    assert!(GOOD.contains(good), "nothing is changed by '{good}'");
    match load_file_text("all.yaml", &GOOD.replacen(good, bad, 1)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_right_document_is_taken_whole() {
    let scenarios = load_file_text("all.yaml", GOOD).unwrap_or_else(|faults| panic!("{}", Faults(faults)));
    let [scenario] = scenarios.as_slice() else { panic!("not one") };
    assert_eq!(scenario.name, "user/all-kinds");
    let kinds: Vec<&str> = scenario.steps.iter().map(|step| step.action.kind()).collect();
    assert_eq!(kinds, ["stack", "request", "expect", "records", "guest", "undo", "stack", "stack", "stack"]);
    insta::assert_debug_snapshot!(scenario.gates);
}

#[test]
fn several_documents_are_several_scenarios() {
    let two = format!("{GOOD}---\n{}", GOOD.replace("all-kinds", "others"));
    let names: Vec<String> =
        load_file_text("all.yaml", &two).unwrap().into_iter().map(|scenario| scenario.name).collect();
    assert_eq!(names, ["user/all-kinds", "user/others"]);
    let twins = format!("{GOOD}---\n{GOOD}");
    let faults = load_file_text("all.yaml", &twins).unwrap_err();
    assert!(faults[0].message.contains("two scenarios 'user/all-kinds'"), "{faults:?}");
}

#[rstest]
#[case("", "all.yaml: there is no scenario in it; write an object of kind TempestScenario")]
#[case("[1", "is no YAML")]
#[case("a: 1\na: 2", "all.yaml:2: is no YAML")]
#[case("just text", "is no object")]
fn what_is_no_document_is_said(#[case] text: &str, #[case] part: &str) {
    let faults = load_file_text("all.yaml", text).unwrap_err();
    assert!(faults.iter().any(|fault| fault.to_string().contains(part)), "{}", Faults(faults));
}

#[rstest]
#[case::kind(
    "kind: TempestScenario",
    "kind: TempestRun",
    "all.yaml:2: kind: 'kind' is 'TempestRun'; write 'kind: TempestScenario'"
)]
#[case::version(
    "v1alpha1",
    "v1",
    "all.yaml:1: apiVersion: 'apiVersion' is 'crossservice.dev/v1'; write 'apiVersion: crossservice.dev/v1alpha1'"
)]
#[case::name(
    "name: all-kinds",
    "name: All_Kinds",
    "all.yaml:4: metadata.name: 'All_Kinds' is no name of an object; use lower-case letters, digits and inner hyphens"
)]
#[case::around(
    "metadata:\n",
    "spce: 1\nmetadata:\n",
    "all.yaml:3: spce: there is no field 'spce' here; did you mean 'spec'?"
)]
#[case::missing("  title: One of everything\n", "", "all.yaml:5: spec: 'title' is missing; add 'title'")]
#[case::unknown(
    "tags:",
    "tgas:",
    "all.yaml:8: spec.tgas: there is no field 'tgas' here; did you mean 'tags'?"
)]
#[case::unknown_in_step(
    "within: 2m",
    "wihtin: 2m",
    "all.yaml:29: spec.steps[0].wihtin (step 'create'): there is no field 'wihtin' here; did you mean 'within'?"
)]
#[case::word(
    "action: create",
    "action: crate",
    "all.yaml:31: spec.steps[0].stack.action (step 'create'): 'crate' is not one of the possible values; did you mean 'create'?"
)]
#[case::method(
    "method: POST",
    "method: post",
    "all.yaml:38: spec.steps[1].request.method (step 'port'): 'post' is not one of the possible values; did you mean 'POST'?"
)]
#[case::kind_of_value(
    "within: 2m",
    "within: 120",
    "all.yaml:29: spec.steps[0].within (step 'create'): must be a text, not a number; put it in quotes"
)]
#[case::list("tags: [smoke]", "tags: smoke", "all.yaml:8: spec.tags: must be a list, not a text")]
#[case::empty(
    "that: [\"status == 200\", \"size(body.recordsets) == 2\"]",
    "that: []",
    "all.yaml:51: spec.steps[2].expect.that (step 'look'): has 0 items; at least 1 are needed"
)]
fn the_shape_is_checked_with_lines(#[case] good: &str, #[case] bad: &str, #[case] wanted: &str) {
    assert_eq!(said(good, bad), [wanted]);
}

#[test]
fn all_faults_are_said_at_once() {
    let bad = GOOD
        .replace("tags:", "tgas:")
        .replace("within: 2m", "within: 2 m")
        .replace("template: zone", "template: zoen")
        .replace("captures.address", "captures.adress")
        .replace("OS::Designate::Zone", "OS::Designate::Domain");
    let faults = load_file_text("all.yaml", &bad).unwrap_err();
    insta::assert_snapshot!(Faults(faults));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(60))]
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\n]{0,200}", at in 0..GOOD.len(), length in 0_usize..40) {
        let _ = load_file_text("any.yaml", &text);
        // A right document with a piece cut out or replaced.
        let end = (at + length).min(GOOD.len());
        let _ = load_file_text("cut.yaml", &format!("{}{}", &GOOD[..at], &GOOD[end..]));
        let _ = load_file_text("new.yaml", &format!("{}{}{}", &GOOD[..at], text.replace('\n', " "), &GOOD[end..]));
    }
}
