use super::*;
use rstest::rstest;
use serde_json::json;

fn scope() -> Scope {
    let mut scope = Scope::default();
    scope.set("test", json!({ "prefix": "to-1-1", "description": "to-1-1 made" }));
    scope.set("facts", json!({ "image": null, "ptr": true, "primary": { "projectId": "p" } }));
    scope.set("vars", json!({ "zone": "to-1-1.example.org.", "ttl": 60, "list": ["b", "a"] }));
    scope.set("stacks", json!({ "net": { "id": "s", "outputs": { "ip": "192.0.2.7" } } }));
    scope.set(
        "body",
        json!({
            "port": { "name": "x", "dns_name": "", "fixed_ips": [{ "ip_address": "10.0.0.5" }] },
            "recordsets": [{ "name": "a." , "type": "A" }, { "name": "b.", "type": "NS" }],
            "serial": 1_790_000_000_u64,
            "rate": 0.5,
        }),
    );
    scope.set("status", json!(200));
    scope
}

fn template(value: &Value) -> Template {
    Template::parse(value).unwrap()
}

#[rstest]
#[case(json!("${vars.ttl}"), json!(60))]
#[case(json!("${vars.ttl + 1}"), json!(61))]
#[case(json!("ttl ${vars.ttl}"), json!("ttl 60"))]
#[case(json!("www.${vars.zone}"), json!("www.to-1-1.example.org."))]
#[case(json!("$${not one} ${test.prefix}"), json!("${not one} to-1-1"))]
#[case(json!("price: 5$"), json!("price: 5$"))]
#[case(json!({ "a": ["${test.prefix}", 1, null] }), json!({ "a": ["to-1-1", 1, null] }))]
#[case(json!("${ {'a': '}'}['a'] }"), json!("}"))]
#[case(json!("${reverseName(stacks.net.outputs.ip)}"), json!("7.2.0.192.in-addr.arpa."))]
#[case(json!("${hostname('My_VM')}"), json!("my-vm"))]
#[case(json!("${lower('ABC')}"), json!("abc"))]
#[case(json!("${vars.zone.split('.')[0]}"), json!("to-1-1"))]
#[case(json!("${vars.list.sort().join(',')}"), json!("a,b"))]
#[case(json!("${body.recordsets.filter(r, r.type == 'A').map(r, r.name)}"), json!(["a."]))]
#[case(json!("${body.rate}"), json!(0.5))]
#[case(json!("${facts.image}"), Value::Null)]
#[case(json!("${facts.image != null ? facts.image : 'none'}"), json!("none"))]
#[case(json!("${stacks['net'].outputs.ip}"), json!("192.0.2.7"))]
#[case(json!(true), json!(true))]
fn a_template_keeps_types_and_joins_texts(#[case] source: Value, #[case] wanted: Value) {
    assert_eq!(template(&source).evaluate(&scope()), Ok(wanted));
}

#[rstest]
#[case("status == 200", true, Some("200"))]
#[case("status != 200", false, Some("200"))]
#[case("status in [200, 202]", true, Some("200"))]
#[case("body.port.name == 'x' && body.port.dns_name == 'y'", false, Some(""))]
#[case("body.port.name == 'x' && facts.ptr", true, None)]
#[case("facts.ptr", true, None)]
#[case("has(body.port.other) && body.port.other == 1", false, None)]
#[case("body.missing == 1 && status == 404", false, Some("200"))]
#[case("size(body.recordsets) == 3", false, Some("2"))]
#[case("body.serial > 1789999999", true, Some("1790000000"))]
#[case("body.port.name == null", false, Some("x"))]
#[case("body.recordsets.exists(r, r.name.startsWith('a'))", true, None)]
#[case("body.port.name.matches('^x$')", true, None)]
#[case("body.serial == 1790000000.0", true, Some("1790000000"))]
#[case("body.port.fixed_ips[0].ip_address == '10.0.0.5'", true, Some("10.0.0.5"))]
fn a_condition_says_what_it_saw(#[case] source: &str, #[case] holds: bool, #[case] observed: Option<&str>) {
    let judgement = Condition::parse(source).unwrap().judge(&scope());
    assert_eq!(judgement, Ok(Judgement { holds, observed: observed.map(str::to_owned) }));
}

#[rstest]
#[case("body.missing == 1", "missing")]
#[case("nothing.here", "nothing")]
#[case("status", "not true or false")]
#[case("body.missing == 1 && facts.ptr", "missing")]
fn what_cannot_be_judged_is_an_error(#[case] source: &str, #[case] part: &str) {
    let error = Condition::parse(source).unwrap().judge(&scope()).unwrap_err();
    assert!(error.message.contains(part), "{error}");
}

#[rstest]
#[case("1 +")]
#[case("")]
#[case("'open")]
#[case("lists.range(1000000)")]
#[case("[1].all(a, [1].all(b, [1].all(c, true)))")]
fn what_is_no_expression_is_refused(#[case] source: &str) {
    Condition::parse(source).unwrap_err();
}

#[rstest]
#[case("${")]
#[case("${}")]
#[case("a ${ 'x }")]
fn what_is_no_template_is_refused(#[case] source: &str) {
    Template::parse_text(source).unwrap_err();
}

#[test]
fn sources_are_bounded() {
    for source in ["1+".repeat(600), "(".repeat(400), "!".repeat(900), "-".repeat(300) + "1"] {
        Condition::parse(&source).unwrap_err();
    }
    for source in [format!("1{}", "+1".repeat(499)), format!("a{}", ".a".repeat(499)), "[".repeat(999)] {
        // Refused for its depth, on a small stack.
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        thread.spawn(move || Condition::parse(&source).unwrap_err()).unwrap().join().unwrap();
    }
    let deep = (0..40).fold(json!("x"), |value, _| json!([value]));
    Template::parse(&deep).unwrap_err();
}

#[test]
fn results_are_bounded() {
    let mut scope = scope();
    scope.set("body", json!({ "many": vec![1; MAX_ITEMS + 1], "text": "x".repeat(MAX_TEXT) }));
    let evaluate = |source: &str| Template::parse_text(source).unwrap().evaluate(&scope).unwrap_err().message;
    assert!(evaluate("${size(body.many)}").contains("10000"));
    assert!(evaluate("${body.many.all(a, body.many.all(b, a == b))}").contains("1000 items"));
    assert!(evaluate("${body.text + body.text}").contains("bytes"));
    assert!(evaluate("${body.text}${body.text}").contains("bytes"));
}

#[test]
fn a_long_list_is_cheap() {
    let mut scope = scope();
    let items: Vec<_> = (0..MAX_ITEMS).map(|number| json!({ "name": format!("n{number}") })).collect();
    scope.set("body", json!({ "recordsets": items }));
    let started = std::time::Instant::now();
    let all = Template::parse_text("${body.recordsets.filter(r, r.name != 'n1').map(r, r.name)}").unwrap();
    assert_eq!(all.evaluate(&scope).unwrap().as_array().map(Vec::len), Some(MAX_ITEMS - 1));
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
}

#[test]
fn references_are_paths_without_loop_variables() {
    let condition = Condition::parse(
        "has(facts.image) && facts.flavor != null && body.list.all(r, r.x == vars.y) && stacks['a'].outputs.b == 1",
    );
    let found: Vec<_> = condition
        .unwrap()
        .references()
        .into_iter()
        .map(|reference| (reference.dotted(), reference.guarded))
        .collect();
    let wanted = [
        ("facts.image", true),
        ("facts.flavor", true),
        ("body.list", false),
        ("vars.y", false),
        ("stacks.a.outputs.b", false),
    ];
    assert_eq!(found, wanted.map(|(path, guarded)| (path.to_owned(), guarded)));
}

#[test]
fn a_literal_end_is_known() {
    let end = |text: &str| Template::parse_text(text).unwrap().literal_end().map(str::to_owned);
    assert_eq!(end("a.${vars.zone}"), None);
    assert_eq!(end("${vars.a}.org").as_deref(), Some(".org"));
    assert_eq!(end("org.").as_deref(), Some("org."));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn nothing_makes_the_parser_panic(text in "[ -~]{0,60}", cel in "[a-c0-9.,()\\[\\]{}'\"!&|=<>+*/?: -]{0,40}") {
        let _ = Template::parse_text(&text).map(|template| template.evaluate(&scope()));
        let _ = Condition::parse(&text).map(|condition| condition.judge(&scope()));
        let _ = Condition::parse(&cel).map(|condition| condition.judge(&scope()));
    }
}
