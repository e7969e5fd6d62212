//! Every kind of fault is named with its path, its line, what is wrong and what to do.

use crate::outcome::Role;
use crate::scenario::load::tests::{GOOD, said};
use crate::scenario::{NeededFact, ServiceType, load_file_text};
use rstest::rstest;

#[rstest]
#[case::id(
    "id: 0f6c3e1e-54d7-4f0a-9d1b-0a4b7a3c2d01",
    "id: seven",
    "spec.id: is no UUID; make one with uuidgen"
)]
#[case::lock("tags: [smoke]", "tags: [smoke]\n  locks: ['A b']", "spec.locks[0]: 'A b' is no name of a lock")]
#[case::exclusive("tags: [smoke]", "tags: [smoke]\n  exclusive: universe", "spec.exclusive")]
#[case::tag("[smoke]", "['a b']", "spec.tags[0]: 'a b' is no tag")]
#[case::repeat_none(
    "tags: [smoke]",
    "tags: [smoke]\n  repeat: {count: 1}",
    "spec.repeat.count: 1 is out of range; use 2 to 99"
)]
#[case::repeat_together(
    "tags: [smoke]",
    "tags: [smoke]\n  repeat: {count: 2, concurrency: 3}",
    "spec.repeat.concurrency: is 3, but it is played only 2 times"
)]
#[case::thresholds_empty(
    "tags: [smoke]",
    "tags: [smoke]\n  thresholds: {published: {}}",
    "spec.thresholds.published: limits nothing; add p50Ms, p95Ms or maxMs"
)]
#[case::thresholds_crossed(
    "tags: [smoke]",
    "tags: [smoke]\n  thresholds: {withdrawn: {p50Ms: 9, maxMs: 8}}",
    "spec.thresholds.withdrawn: p50Ms is 9 and maxMs only 8; p50Ms is never more than maxMs"
)]
#[case::that(
    "undo: {made: {collection: /floatingips, markedBy: description}}",
    "that: [body.floatingip.id ==]\n        undo: {made: {collection: /floatingips, markedBy: description}}",
    "spec.steps[1].request.that[0] (step 'port'): expression 'body.floatingip.id =='"
)]
#[case::text_of_template(
    "description: ${test.description}",
    "description: ${test.description} ${templates.zoen}",
    "there is no template 'zoen'; did you mean 'zone'?"
)]
#[case::variable_twice("{name: name,", "{name: zone,", "there are two variables 'zone'; rename one of them")]
#[case::variable_name("{name: name,", "{name: 1st,", "'1st' is no name")]
#[case::variable_later(
    "www.${vars.zone}",
    "www.${vars.name}",
    "spec.variables[1].value: no variable 'name' is declared before its use"
)]
#[case::stack_in_variable(
    "www.${vars.zone}",
    "${stacks.zone.id}",
    "variables are evaluated before the first step"
)]
#[case::typo_in_variable(
    "zone_name: \"${vars.zone}\"",
    "zone_name: \"${vars.zoen}\"",
    "no variable 'zoen' is declared before its use; did you mean 'zone'?"
)]
#[case::root(
    "path: /floatingips\n",
    "path: /floatingips/${fact.image}\n",
    "there is nothing called 'fact'; did you mean 'facts'?"
)]
#[case::run("${run.zoneSuffix}", "${run.suffix}", "run has no 'suffix'; there are: id, zoneSuffix")]
#[case::fact("facts.floatingNetwork", "facts.floatingNet", "facts has no 'floatingNet'")]
#[case::identity("facts.floatingNetwork", "facts.primary.project", "facts.ROLE has no 'project'")]
#[case::item(
    "server: ${captures.id}",
    "server: ${item}",
    "'item' is only there in a step with forEach; add forEach"
)]
#[case::answer(
    "server: ${captures.id}",
    "server: ${body.id}",
    "'body' is only there in assertions and in captures"
)]
#[case::expression(
    "size(body.recordsets) == 2",
    "size(body.recordsets == 2",
    "spec.steps[2].expect.that[1] (step 'look'): expression 'size(body.recordsets == 2'"
)]
#[case::dollar(
    "when: facts.image != null",
    "when: ${facts.guest}",
    "a condition is written without '${}'; remove '${' and '}'"
)]
#[case::open_expression("server: ${captures.id}", "server: ${captures.id", "'${' has no '}'")]
#[case::step_twice("- name: look", "- name: port", "there are two steps 'port'; rename one of them")]
#[case::no_kind(
    "      undo: {step: port}\n",
    "      report: true\n",
    "has no kind; give exactly one of stack,"
)]
#[case::two_kinds(
    "      undo: {step: port}\n",
    "      undo: {step: port}\n      guest: {server: a, booted: b, result: c, equals: d}\n",
    "has several kinds; give exactly one of stack,"
)]
#[case::duration(
    "within: 2m",
    "within: 2 minutes",
    "'2 minutes' is no duration; write it as 300s, 5m or 1m30s"
)]
#[case::short("when: facts.image != null", "within: 1s", "is shorter than the 120s that the step watches")]
#[case::template(
    "template: zone",
    "template: zoen",
    "spec.steps[0].stack.template (step 'create'): there is no template 'zoen'; did you mean 'zone'?"
)]
#[case::no_template("        template: zone\n", "", "create needs a template; add 'template', one of: zone")]
#[case::parameter(
    "{zone_name:",
    "{zonename:",
    "template 'zone' has no parameter 'zonename'; did you mean 'zone_name'?"
)]
#[case::parameter_missing(
    "parameters: {zone_name: \"${vars.zone}\"}",
    "parameters: {ttl: 5}",
    "parameter 'zone_name' of template 'zone' is not given; add 'zone_name'"
)]
#[case::output("outputs.id", "outputs.idd", "template 'zone' of stack 'zone' has no output 'idd'")]
#[case::stack_field(
    "stacks.zone.outputs.id",
    "stacks.zone.output",
    "stacks.zone has no 'output'; did you mean 'outputs'?"
)]
#[case::stack_unknown(
    "stacks.zone.outputs.id",
    "stacks.zoen.outputs.id",
    "no earlier step creates stack 'zoen'; did you mean 'zone'?"
)]
#[case::update_unknown(
    "action: update, name: zone",
    "action: update, name: zoen",
    "no earlier step creates stack 'zoen'; did you mean 'zone'?"
)]
#[case::stack_twice(
    "action: update, name: zone,",
    "action: create, name: zone, template: zone,",
    "an earlier step creates stack 'zone'; choose another name"
)]
#[case::stack_name(
    "        name: zone\n        template",
    "        name: Zone-1\n        template",
    "'Zone-1' is no stack name"
)]
#[case::repeated_stack("      within: 2m\n", "      forEach: [1]\n", "a stack step cannot be repeated")]
#[case::until(
    "until: DELETE_COMPLETE",
    "until: DELETE_COMPLET",
    "'DELETE_COMPLET' is no final state of a stack; did you mean 'DELETE_COMPLETE'?"
)]
#[case::await_until(", until: DELETE_COMPLETE", "", "await needs the state that is awaited")]
#[case::await_nothing("name: zone, wait: false", "name: zone", "nothing that stack 'zone' does is open")]
#[case::delete_template(
    "name: zone, wait: false",
    "name: zone, template: zone, wait: false",
    "'delete' does not take 'template'; remove 'template'"
)]
#[case::started(
    "      within: 2m\n      stack:\n",
    "      stack:\n        wait: false\n",
    "stack 'zone' was only started, so it has no outputs yet"
)]
#[case::conditional(
    "      within: 2m\n",
    "      when: facts.guest\n",
    "stacks.zone is only there when facts.guest; add 'when: facts.guest' to this step"
)]
#[case::capture("${captures.id}", "${captures.ip}", "no earlier step captures 'ip'")]
#[case::group(
    "    - name: look\n",
    "    - name: look\n      group: g\n    - name: port2\n      group: g\n      undo: {step: zzz}\n    - name: look2\n",
    "no earlier step is called 'zzz'"
)]
#[case::url("path: /floatingips\n", "path: floatingips\n", "'floatingips' does not begin with '/'")]
#[case::url_up("path: /floatingips\n", "path: /../v3/users\n", "'/../v3/users' contains '..'")]
#[case::url_host("path: /floatingips\n", "path: //other.host/x\n", "contains '//'")]
#[case::identity_service(
    "service: network",
    "service: identity",
    "documents do not reach the identity service"
)]
#[case::no_undo(
    "        undo: {made: {collection: /floatingips, markedBy: description}}\n",
    "",
    "POST needs 'undo': how it is taken back"
)]
#[case::made_elsewhere(
    "method: POST\n        path: /floatingips",
    "method: POST\n        path: /floatingips/1/action",
    "'/floatingips' is not where the request posts to"
)]
#[case::a_foreign_delete(
    "undo: {made: {collection: /floatingips, markedBy: description}}",
    "undo: {restore: {method: DELETE, path: /servers/1}}",
    "DELETE sets back only what a PUT to the same path made"
)]
#[case::stack_mark(
    "undo: {made: {collection: /floatingips, markedBy: description}}",
    "undo: {none: it is only looked at}\n    - name: raw\n      request:\n        service: orchestration\n        \
     method: POST\n        path: /stacks\n        body: {stack_name: mine, description: \"${test.description}\"}\n        \
     undo: {made: {collection: /stacks, markedBy: description}}",
    "a stack is found by its name; write stack_name"
)]
#[case::whole(
    "        present:\n          - {name: \"${vars.name}\", type: A, data: [\"${captures.address}\"], ttl: 60, when: facts.ptr}\n",
    "        wholeOverUdp: true\n",
    "is of no use without 'present'; add present, or remove wholeOverUdp"
)]
#[case::two_undos(
    "undo: {made: {collection: /floatingips, markedBy: description}}",
    "undo: {none: why, restore: {method: PUT, path: /x}}",
    "give exactly one of made, restore and none"
)]
#[case::restore(
    "undo: {made: {collection: /floatingips, markedBy: description}}",
    "undo: {restore: {method: POST, path: /x}}",
    "POST does not set anything back; use PUT, PATCH or DELETE"
)]
#[case::mark("markedBy: description", "markedBy: name", "the body's 'name' does not carry the test's prefix")]
#[case::unmarked(
    "description: ${test.description}",
    "description: mine",
    "the body's 'description' does not carry the test's prefix"
)]
#[case::collection(
    "collection: /floatingips",
    "collection: '/floatingips?name=${vars.zone}'",
    "is no path of a collection"
)]
#[case::other_collection(
    "collection: /floatingips",
    "collection: '/floatingips/${vars.zone}'",
    "is not where the request posts to"
)]
#[case::get_body("method: POST", "method: GET", "GET takes no body; remove it")]
#[case::dot(
    "zone: ${vars.zone}\n",
    "zone: example.org\n",
    "'example.org' does not end with a dot; write the name fully qualified"
)]
#[case::record_dot(
    "{name: \"${vars.name}\"",
    "{name: \"${vars.name}.org\"",
    "spec.steps[3].records.present[0].name (step 'truth'): '${vars.name}.org' does not end with a dot"
)]
#[case::data("data: [\"${captures.address}\"]", "data: 7", "is neither a list of texts nor a text")]
#[case::no_data("data: [\"${captures.address}\"]", "data: []", "is empty; give the data")]
#[case::ttl("ttl: 60,", "ttl: soon,", "is no TTL; use whole seconds")]
#[case::hold("only: true", "hold: 5s", "is of no use without 'never'")]
#[case::marker(
    "result: ${test.prefix} result",
    "result: ${test.prefix} booted",
    "is the same marker as 'booted'"
)]
#[case::undo_unknown(
    "undo: {step: port}",
    "undo: {step: prot}",
    "no earlier step is called 'prot'; did you mean 'port'?"
)]
#[case::undo_nothing(
    "undo: {step: port}",
    "undo: {step: look}",
    "step 'look' does nothing that could be taken back"
)]
#[case::removed(
    "OS::Designate::Zone",
    "OS::Designate::Domain",
    "all.yaml:20: spec.templates.zone: resources.zone.type: Heat no longer makes anything of type 'OS::Designate::Domain'; use OS::Designate::Zone"
)]
#[case::for_each(
    "      when: facts.image != null\n",
    "      forEach: 5\n",
    "is no list; write a list, or one '${…}' that gives one"
)]
fn every_fault_is_named(#[case] good: &str, #[case] bad: &str, #[case] wanted: &str) {
    let all = said(good, bad);
    assert!(
        all.iter().any(|text| text.contains(wanted)),
        "\nwanted {wanted}\nsaid   {}",
        all.join("\n       ")
    );
    assert!(all.iter().all(|text| text.starts_with("all.yaml:")), "{all:?}");
}

/// The gates of the good document with one thing changed.
fn gates(good: &str, bad: &str) -> crate::scenario::document::Gates {
    load_file_text("all.yaml", &GOOD.replacen(good, bad, 1))
        .unwrap_or_else(|faults| panic!("{faults:?}"))
        .remove(0)
        .gates
}

#[test]
fn what_is_asked_for_is_no_gate() {
    let of = |when: &str, server: &str| {
        let bad =
            format!("      when: {when}\n      as: alternate\n      guest:\n        server: {server}\n");
        gates("      when: facts.image != null\n      guest:\n        server: ${captures.id}\n", &bad)
    };
    let asked = of("facts.image != null", "${facts.image}");
    assert!(asked.facts.is_empty() || !asked.facts.contains(&NeededFact::Image), "{asked:?}");
    assert!(!asked.services.contains(&ServiceType::Compute) && asked.credentials.is_empty(), "{asked:?}");
    let other = of("facts.ptr", "${facts.image}");
    assert!(other.facts.contains(&NeededFact::Image), "{other:?}");
    let inside =
        of("run.id != ''", "\"${facts.image != null ? facts.image : 'none'}${facts.alternate.userId}\"");
    assert!(!inside.facts.contains(&NeededFact::Image), "{inside:?}");
    assert!(inside.services.contains(&ServiceType::Compute), "{inside:?}");
    assert!(inside.credentials.contains(&Role::Alternate), "{inside:?}");
}

#[test]
fn steps_have_default_deadlines_that_cover_what_they_watch() {
    let scenario = load_file_text("all.yaml", GOOD).unwrap().remove(0);
    let within: Vec<u64> = scenario.steps.iter().map(|step| step.within.as_secs()).collect();
    assert_eq!(within, [120, 60, 300, 300, 240, 300, 600, 600, 600]);
}

#[test]
fn a_fault_of_an_object_names_the_templates_line() {
    let mut object: serde_json::Value = serde_saphyr::from_str(GOOD).unwrap();
    let template = object["spec"]["templates"]["zone"].as_str().unwrap().replace("Zone", "Domain");
    object["spec"]["templates"]["zone"] = template.into();
    let spec = serde_json::from_value(object["spec"].take()).unwrap();
    let faults = crate::scenario::check("user/x", &spec).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["spec.templates.zone: line 7: resources.zone.type: Heat no longer makes anything of type \
         'OS::Designate::Domain'; use OS::Designate::Zone"]
    );
}
