//! What Argo CD and Flux make of an object by the health checks that we ship: the real Lua, and real CEL.

use std::fs;

use cel::{Context, Program, to_value};
use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaOptions, LuaSerdeExt, StdLib};
use rstest::rstest;
use serde_json::{Value, json};
use tempest_operator::controller::conditions::{Moment, conditions};
use tempest_operator::outcome::Verdict;

use crate::kstatus::{Status, compute};
use crate::support::repository;

/// An object as those see it who apply it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// By kstatus' own rules: Flux without an expression, `kpt` and others.
    pub kstatus: Status,
    /// By the CEL expressions for Flux.
    pub flux: Status,
    /// By the Lua check for Argo CD.
    pub argo_cd: String,
}

impl Health {
    /// Of an object as the API server has it.
    pub fn of(object: &Value) -> Self {
        Self { kstatus: compute(object), flux: flux(object), argo_cd: argo_cd(object)["status"].to_string() }
    }

    /// What it should be; kstatus and Flux agree.
    pub fn new(status: Status, argo_cd: &str) -> Self {
        Self { kstatus: status, flux: status, argo_cd: json!(argo_cd).to_string() }
    }
}

fn shipped(file: &str) -> String {
    fs::read_to_string(repository("charts/tempest-operator/files/health").join(file)).unwrap()
}

/// The table that the kind's check returns, run with the libraries that Argo CD opens for it.
fn argo_cd(object: &Value) -> Value {
    let script = shipped(&format!("{}.lua", object["kind"].as_str().unwrap()));
    let lua = Lua::new_with(StdLib::PACKAGE | StdLib::TABLE | StdLib::OS, LuaOptions::default()).unwrap();
    let absent = SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    lua.globals().set("obj", lua.to_value_with(object, absent).unwrap()).unwrap();
    let health: mlua::Value = lua.load(script).eval().unwrap();
    let health: Value = lua.from_value(health).unwrap();
    assert!(health["message"].is_string(), "{health}");
    health
}

/// Evaluates as Flux does: an older generation first, then the expressions in the order of its RFC 0009.
fn flux(object: &Value) -> Status {
    let observed = &object["status"]["observedGeneration"];
    if observed.is_i64() && *observed != object["metadata"]["generation"] {
        return Status::InProgress;
    }
    let all: Vec<Value> = serde_saphyr::from_str(&shipped("flux.yaml")).unwrap();
    let ours = |one: &&Value| one["kind"] == object["kind"] && one["apiVersion"] == object["apiVersion"];
    let expressions = all.iter().find(ours).unwrap();
    let order =
        [("inProgress", Status::InProgress), ("failed", Status::Failed), ("current", Status::Current)];
    let holds = |(key, _): &(&str, Status)| evaluate(expressions[*key].as_str().unwrap(), object);
    order.into_iter().find(holds).map_or(Status::InProgress, |(_, status)| status)
}

fn evaluate(expression: &str, object: &Value) -> bool {
    let mut context = Context::default();
    for (field, value) in object.as_object().unwrap() {
        context.add_variable_from_value(field.as_str(), to_value(value).unwrap());
    }
    match Program::compile(expression).unwrap().execute(&context) {
        Ok(cel::Value::Bool(holds)) => holds,
        other => panic!("{expression} is {other:?} for {object:#}"),
    }
}

fn object(kind: &str, generation: i64, status: &Value) -> Value {
    json!({
        "apiVersion": "crossservice.dev/v1alpha1", "kind": kind,
        "metadata": { "name": "one", "generation": generation }, "spec": {}, "status": status,
    })
}

fn at(moment: &Moment) -> Value {
    let conditions = conditions(moment, Some(1), jiff::Timestamp::UNIX_EPOCH, &[]);
    object("TempestRun", 1, &json!({ "observedGeneration": 1, "conditions": conditions }))
}

fn underway(reason: &'static str) -> Moment {
    Moment::Underway { reason, message: "what for".to_owned() }
}

fn ended(verdict: Verdict, leaked: bool) -> Moment {
    Moment::Ended { verdict, reason: "Because".to_owned(), message: "in short".to_owned(), leaked }
}

/// The design's table of conditions, section 4. `kube::moments` has the same on objects that the operator wrote.
#[rstest]
#[case::waiting(underway("WaitingForCredentials"), Status::InProgress, "Progressing")]
#[case::queued(underway("Queued"), Status::InProgress, "Progressing")]
#[case::running(underway("Running"), Status::InProgress, "Progressing")]
#[case::cleaning_up(underway("CleaningUp"), Status::InProgress, "Progressing")]
#[case::suspended(underway("Suspended"), Status::InProgress, "Suspended")]
#[case::passed(ended(Verdict::Passed, false), Status::Current, "Healthy")]
#[case::failed(ended(Verdict::Failed, false), Status::Failed, "Degraded")]
#[case::could_not_be_carried_out(ended(Verdict::Errored, false), Status::Failed, "Degraded")]
#[case::cancelled(ended(Verdict::Cancelled, false), Status::Failed, "Degraded")]
#[case::leaked(ended(Verdict::Failed, true), Status::Failed, "Degraded")]
fn a_run_has_the_health_of_its_moment(#[case] moment: Moment, #[case] status: Status, #[case] argo_cd: &str) {
    let mut run = at(&moment);
    assert_eq!(Health::of(&run), Health::new(status, argo_cd));
    // A change of the spec that the operator has not seen yet.
    run["metadata"]["generation"] = 2.into();
    assert_eq!(Health::of(&run), Health::new(Status::InProgress, "Progressing"));
}

#[test]
fn what_no_operator_has_seen_is_in_progress() {
    let new = json!({ "observedGeneration": -1 });
    let run = object("TempestRun", 1, &new);
    assert_eq!(Health::of(&run), Health::new(Status::InProgress, "Progressing"));
    let mut never_had_a_status = run;
    never_had_a_status.as_object_mut().unwrap().remove("status");
    assert_eq!(argo_cd(&never_had_a_status)["status"], "Progressing");
}

#[test]
fn argo_cd_shows_why_a_run_failed() {
    assert_eq!(argo_cd(&at(&ended(Verdict::Failed, false)))["message"], "Because: in short");
    assert_eq!(argo_cd(&at(&underway("Queued")))["message"], "what for");
}

#[rstest]
#[case::new(json!({ "observedGeneration": -1 }), Status::InProgress, "Progressing")]
#[case::valid(judged("True", "False"), Status::Current, "Healthy")]
#[case::not_valid(judged("False", "True"), Status::Failed, "Degraded")]
fn a_scenario_is_healthy_if_it_can_be_played(
    #[case] status: Value,
    #[case] expected: Status,
    #[case] argo_cd: &str,
) {
    assert_eq!(Health::of(&object("TempestScenario", 1, &status)), Health::new(expected, argo_cd));
}

/// A cloud that fails is seen in Argo CD, but holds nothing up in Flux: its schedule is as it should be.
#[rstest]
#[case::new(json!({ "observedGeneration": -1 }), Status::InProgress, "Progressing")]
#[case::valid(scheduled("True", "Scheduled", "Unknown"), Status::Current, "Healthy")]
#[case::passing(scheduled("True", "Scheduled", "True"), Status::Current, "Healthy")]
#[case::failing(scheduled("True", "Scheduled", "False"), Status::Current, "Degraded")]
#[case::suspended(scheduled("True", "Suspended", "True"), Status::Current, "Suspended")]
#[case::not_valid(scheduled("False", "InvalidSchedule", "Unknown"), Status::Failed, "Degraded")]
fn a_schedule_is_healthy_if_its_runs_pass(
    #[case] status: Value,
    #[case] expected: Status,
    #[case] argo_cd: &str,
) {
    assert_eq!(Health::of(&object("TempestSchedule", 1, &status)), Health::new(expected, argo_cd));
}

/// As `controller::schedules` writes it.
fn scheduled(ready: &str, reason: &str, healthy: &str) -> Value {
    let stalled = if ready == "True" { "False" } else { "True" };
    json!({ "observedGeneration": 1, "conditions": [
        { "type": "Ready", "status": ready, "reason": reason, "message": "in short" },
        { "type": "Stalled", "status": stalled, "reason": reason, "message": "in short" },
        { "type": "Healthy", "status": healthy, "reason": "RunsFail", "message": "3 failed" },
    ] })
}

/// As `controller::scenarios` writes it.
fn judged(valid: &str, stalled: &str) -> Value {
    json!({ "observedGeneration": 1, "conditions": [
        { "type": "Valid", "status": valid, "reason": "Checked", "message": "in short" },
        { "type": "Ready", "status": valid, "reason": "Checked", "message": "in short" },
        { "type": "Stalled", "status": stalled, "reason": "Checked", "message": "in short" },
    ] })
}
