use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;

use super::*;
use crate::api::schedule::RunResult;
use crate::outcome::Verdict;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hourly() -> TempestScheduleSpec {
    TempestScheduleSpec { schedule: "0 * * * *".to_owned(), ..TempestScheduleSpec::default() }
}

fn underway(name: &str) -> Run {
    Run { name: name.to_owned(), end: None, is_held: false }
}

fn ended(name: &str, time: &str, verdict: Verdict) -> Run {
    let end = RunResult {
        run: name.to_owned(),
        schedule_time: None,
        completion_time: Some(at(time)),
        verdict,
        seconds: Some(9),
        passed: None,
    };
    Run { end: Some(end), ..underway(name) }
}

/// A schedule that was made at noon and is looked at from time to time.
struct World {
    spec: TempestScheduleSpec,
    status: TempestScheduleStatus,
    runs: Vec<Run>,
    generation: i64,
}

impl World {
    fn new(spec: TempestScheduleSpec) -> Self {
        let mut world =
            Self { spec, status: TempestScheduleStatus::default(), runs: Vec::new(), generation: 1 };
        assert_eq!(world.look("2026-11-23T12:00:00Z").start, None);
        world
    }

    fn peek(&self, now: Timestamp) -> Step {
        let times = Times::parse(&self.spec.schedule, self.spec.time_zone.as_deref());
        decide(&self.observed(&times), now)
    }

    fn observed<'a>(&'a self, times: &'a Result<Times, String>) -> Observed<'a> {
        Observed {
            name: "nightly",
            generation: Some(self.generation),
            created: at("2026-11-23T12:00:00Z"),
            spec: &self.spec,
            times,
            status: &self.status,
            runs: &self.runs,
        }
    }

    fn look(&mut self, now: &str) -> Step {
        let step = self.peek(at(now));
        self.status = step.status.clone();
        step
    }
}

fn started(step: &Step) -> Option<Timestamp> {
    step.start.as_ref().and_then(|start| start.schedule_time)
}

fn reasons(step: &Step) -> Vec<&str> {
    step.notes.iter().map(|note| note.reason).collect()
}

#[test]
fn a_run_begins_when_its_time_comes_and_once() {
    let mut world = World::new(hourly());
    let step = world.look("2026-11-23T12:59:58Z");
    assert_eq!((started(&step), step.again), (None, Duration::from_secs(2)));
    let step = world.look("2026-11-23T13:00:00Z");
    assert_eq!(started(&step), Some(at("2026-11-23T13:00:00Z")));
    assert_eq!(step.status.next_schedule_time, Some(at("2026-11-23T14:00:00Z")));
    assert_eq!(step.status.active, ["nightly-29923980"]);
    world.runs.push(underway("nightly-29923980"));
    assert_eq!(world.look("2026-11-23T13:00:01Z").start, None);
}

#[test]
fn who_dies_before_the_status_is_written_makes_the_same_run_again() {
    let mut world = World::new(hourly());
    let before = world.peek(at("2026-11-23T13:00:00Z"));
    world.runs.push(underway(&before.start.as_ref().unwrap().name));
    for policy in [ConcurrencyPolicy::Forbid, ConcurrencyPolicy::Replace, ConcurrencyPolicy::Allow] {
        world.spec.concurrency_policy = Some(policy);
        let after = world.peek(at("2026-11-23T13:00:09Z"));
        assert_eq!((&after.start, after.cancel), (&before.start, vec![]), "{policy:?}");
        assert_eq!(after.status.skipped, 0);
    }
}

#[rstest]
#[case::forbid(None, false, &[], 1)]
#[case::allow(Some(ConcurrencyPolicy::Allow), true, &[], 0)]
#[case::replace(Some(ConcurrencyPolicy::Replace), true, &["long"], 0)]
fn an_earlier_run_is_under_way(
    #[case] policy: Option<ConcurrencyPolicy>,
    #[case] starts: bool,
    #[case] cancelled: &[&str],
    #[case] skipped: u32,
) {
    let mut world = World::new(TempestScheduleSpec { concurrency_policy: policy, ..hourly() });
    world.runs.push(underway("long"));
    let step = world.look("2026-11-23T13:00:00Z");
    assert_eq!(
        (step.start.is_some(), step.cancel.as_slice()),
        (starts, cancelled.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().as_slice())
    );
    assert_eq!(step.status.skipped, skipped);
    assert_eq!(reasons(&step), if skipped > 0 { vec!["RunSkipped"] } else { vec![] });
    world.runs.clear();
    // What was skipped is not made up for.
    assert_eq!(world.look("2026-11-23T13:20:00Z").start, None);
}

#[rstest]
#[case::none(None, true, 4)]
#[case::in_time(Some(600), true, 4)]
#[case::too_late(Some(60), false, 5)]
fn of_what_was_missed_the_last_is_made_up_for(
    #[case] deadline: Option<u32>,
    #[case] starts: bool,
    #[case] missed: u32,
) {
    let mut world = World::new(TempestScheduleSpec { starting_deadline_seconds: deadline, ..hourly() });
    let step = world.look("2026-11-23T17:05:00Z");
    assert_eq!(started(&step), starts.then(|| at("2026-11-23T17:00:00Z")));
    assert_eq!((step.status.missed, reasons(&step)), (missed, vec!["SchedulesMissed"]));
}

#[test]
fn a_long_absence_is_counted_as_far_as_it_matters() {
    let mut world = World::new(TempestScheduleSpec { schedule: "* * * * *".to_owned(), ..hourly() });
    let step = world.look("2027-11-23T12:00:30Z");
    assert_eq!((started(&step), step.status.missed), (Some(at("2027-11-23T12:00:00Z")), COUNTED));
}

#[test]
fn what_goes_by_while_it_is_suspended_is_not_made_up_for() {
    let mut world = World::new(TempestScheduleSpec { suspend: true, ..hourly() });
    let step = world.look("2026-11-23T17:05:00Z");
    assert_eq!((step.start, step.status.missed), (None, 0));
    world.spec.suspend = false;
    assert_eq!(world.look("2026-11-23T17:06:00Z").start, None);
    assert!(world.look("2026-11-23T18:00:00Z").start.is_some());
}

#[test]
fn another_schedule_counts_from_now() {
    let mut world = World::new(hourly());
    world.spec.schedule = "30 * * * *".to_owned();
    let step = world.look("2026-11-23T12:45:00Z");
    assert_eq!((step.start, step.status.next_schedule_time), (None, Some(at("2026-11-23T13:30:00Z"))));
}

#[test]
fn a_schedule_that_nobody_saw_being_made_counts_from_then() {
    let world =
        World { spec: hourly(), status: TempestScheduleStatus::default(), runs: Vec::new(), generation: 1 };
    assert_eq!(started(&world.peek(at("2026-11-23T13:05:00Z"))), Some(at("2026-11-23T13:00:00Z")));
}

#[test]
fn a_changed_token_starts_a_run_now_once_nothing_forbids_it() {
    let mut world = World::new(TempestScheduleSpec { suspend: true, ..hourly() });
    world.spec.run_token = Some("release 7".to_owned());
    world.runs.push(underway("long"));
    let step = world.look("2026-11-23T12:10:00Z");
    assert_eq!((&step.start, &step.status.run_token, step.again), (&None, &None, WHILE_ACTIVE));
    world.runs.clear();
    let step = world.look("2026-11-23T12:11:00Z");
    assert_eq!(started(&step), None);
    let name = step.start.unwrap().name;
    assert!(name.starts_with("nightly-") && name.len() == 16, "{name}");
    world.runs.push(ended(&name, "2026-11-23T12:12:00Z", Verdict::Passed));
    assert_eq!(world.look("2026-11-23T12:13:00Z").start, None);
}

#[test]
fn a_token_that_comes_back_runs_again() {
    let mut world = World::new(hourly());
    let mut names = BTreeSet::new();
    for token in ["7", "8", "7"] {
        world.generation += 1;
        world.spec.run_token = Some(token.to_owned());
        let name = world.look("2026-11-23T12:10:00Z").start.unwrap().name;
        world.runs.push(ended(&name, "2026-11-23T12:12:00Z", Verdict::Passed));
        assert!(names.insert(name), "{names:?}");
    }
}

#[test]
fn a_run_that_is_refused_stays_due_and_the_schedule_says_why() {
    let mut world = World::new(hourly());
    let times = Times::parse(&world.spec.schedule, None);
    let refuse = |world: &mut World, now: &str| {
        let step = world.peek(at(now));
        let start = step.start.clone().expect("it is due");
        let step = refused(&world.observed(&times), step, &start, "exceeded quota", at(now));
        world.status = step.status.clone();
        (start, step)
    };
    let (start, step) = refuse(&mut world, "2026-11-23T13:00:00Z");
    assert_eq!(started(&Step { start: Some(start), ..Step::default() }), Some(at("2026-11-23T13:00:00Z")));
    assert_eq!(
        (condition(&step, "Ready"), condition(&step, "Stalled")),
        (("False", "RunRefused"), ("True", "RunRefused"))
    );
    assert_eq!(condition(&step, "Healthy"), ("Unknown", "NoRunEnded"));
    assert_eq!((reasons(&step), step.status.active.len()), (vec!["RunRefused"], 0));
    let (_, step) = refuse(&mut world, "2026-11-23T13:00:20Z");
    assert!(step.notes.is_empty(), "told once: {step:#?}");
    let made = world.look("2026-11-23T13:00:40Z");
    assert_eq!(started(&made), Some(at("2026-11-23T13:00:00Z")));
    assert_eq!((condition(&made, "Ready").0, made.status.missed), ("True", 0));
}

#[test]
fn a_token_waits_its_turn_behind_a_time() {
    let mut world =
        World::new(TempestScheduleSpec { concurrency_policy: Some(ConcurrencyPolicy::Allow), ..hourly() });
    world.spec.run_token = Some("now".to_owned());
    let step = world.look("2026-11-23T13:00:00Z");
    assert!(started(&step).is_some() && step.again <= WHILE_ACTIVE, "{step:#?}");
    assert!(world.look("2026-11-23T13:00:05Z").start.is_some());
}

fn condition<'a>(step: &'a Step, kind: &str) -> (&'a str, &'a str) {
    let all = &step.status.conditions;
    all.iter().find(|one| one.type_ == kind).map(|one| (one.status.as_str(), one.reason.as_str())).unwrap()
}

#[test]
fn a_cancelled_run_says_nothing_of_its_health() {
    let mut world = World::new(hourly());
    world.runs.push(ended("run", "2026-11-23T12:30:00Z", Verdict::Cancelled));
    assert_eq!(condition(&world.look("2026-11-23T12:31:00Z"), "Healthy"), ("Unknown", "NoRunEnded"));
}

#[test]
fn it_is_healthy_until_so_many_runs_in_a_row_fail() {
    let mut world = World::new(TempestScheduleSpec { failure_threshold: Some(2), ..hourly() });
    assert_eq!(condition(&world.look("2026-11-23T12:00:01Z"), "Healthy"), ("Unknown", "NoRunEnded"));
    let mut after = |hour: usize, verdict: Verdict| {
        let time = format!("2026-11-23T{hour}:30:00Z");
        world.runs.push(ended(&format!("run-{hour}"), &time, verdict));
        let step = world.look(&time);
        let (status, _) = condition(&step, "Healthy");
        let told = reasons(&step)
            .into_iter()
            .filter(|reason| reason.starts_with("Runs"))
            .collect::<Vec<_>>()
            .join(" ");
        (status.to_owned(), told)
    };
    assert_eq!(after(13, Verdict::Failed), ("True".to_owned(), String::new()));
    assert_eq!(after(14, Verdict::Errored), ("False".to_owned(), "RunsFail".to_owned()));
    assert_eq!(after(15, Verdict::Failed), ("False".to_owned(), String::new()));
    assert_eq!(after(16, Verdict::Passed), ("True".to_owned(), "RunsPass".to_owned()));
}

#[test]
fn what_is_no_schedule_is_said_and_its_results_are_still_told() {
    let mut world = World::new(hourly());
    world.spec.schedule = "soon".to_owned();
    world.runs.push(ended("one", "2026-11-23T12:30:00Z", Verdict::Passed));
    let step = world.look("2026-11-23T13:00:00Z");
    assert_eq!(condition(&step, "Ready"), ("False", "InvalidSchedule"));
    assert_eq!(condition(&step, "Stalled"), ("True", "InvalidSchedule"));
    assert_eq!((step.start, step.status.next_schedule_time), (None, None));
    assert_eq!(step.status.last_verdict, Some(Verdict::Passed));
}

/// Each minute of a year, looked at a little late, by operators of which some die before they write.
#[test]
fn no_minute_of_a_year_is_missed_and_none_is_doubled() {
    let spec = TempestScheduleSpec {
        schedule: "* * * * *".to_owned(),
        time_zone: Some("Europe/Berlin".to_owned()),
        concurrency_policy: Some(ConcurrencyPolicy::Allow),
        ..TempestScheduleSpec::default()
    };
    let mut world = World::new(spec);
    let times = Times::parse("* * * * *", Some("Europe/Berlin"));
    let mut chance = StdRng::seed_from_u64(7);
    let (mut now, end) = (at("2026-11-23T12:00:00Z"), at("2027-11-23T12:00:00Z"));
    let mut made = BTreeSet::new();
    let mut again = 0;
    while now < end {
        let step = decide(&world.observed(&times), now);
        if let Some(start) = step.start {
            again += usize::from(!made.insert(start.schedule_time));
        }
        if chance.random_ratio(1, 50) {
            // It dies before it writes the status; another one comes.
            now += Duration::from_secs(3);
            continue;
        }
        world.status = TempestScheduleStatus { active: Vec::new(), ..step.status };
        now = world.status.next_schedule_time.unwrap() + Duration::from_millis(chance.random_range(0..9000));
    }
    assert_eq!(world.status.missed + world.status.skipped, 0);
    assert_eq!(made.len(), 365 * 24 * 60 - 1, "the last is still to come");
    assert!(again > 5000, "{again} were made again, under the same name");
}
