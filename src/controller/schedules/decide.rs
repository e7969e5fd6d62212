//! What a schedule does next: what is known in, what is to be done out. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::EventType;
use uuid::Uuid;

use super::results::{self, Run};
use super::times::Times;
use crate::api::schedule::{ConcurrencyPolicy, TempestScheduleSpec, TempestScheduleStatus};
use crate::controller::conditions::rows;
use crate::outcome::shorten;

/// Missed times are counted up to this many at once.
const COUNTED: u32 = 100;
/// Between two looks while a run is under way.
const WHILE_ACTIVE: Duration = Duration::from_secs(5);
/// Between two attempts to make a run that the API server refuses.
const WHILE_REFUSED: Duration = Duration::from_secs(20);
/// Why a schedule is stalled then.
const REFUSED: &str = "RunRefused";
/// Longest message of the API server, in characters.
const MESSAGE: usize = 512;
/// The longest time between two looks: a clock may be set.
const AT_LEAST: Duration = Duration::from_mins(5);

/// What is known of a schedule.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its generation.
    pub generation: Option<i64>,
    /// When it was made.
    pub created: Timestamp,
    /// What it wants.
    pub spec: &'a TempestScheduleSpec,
    /// When its times come, or what is wrong with its schedule.
    pub times: &'a Result<Times, String>,
    /// What was said of it.
    pub status: &'a TempestScheduleStatus,
    /// Its runs.
    pub runs: &'a [Run],
}

/// What is to be done, in this order: what is done twice is done once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Runs to cancel.
    pub cancel: Vec<String>,
    /// The run to make.
    pub start: Option<Start>,
    /// Runs to delete.
    pub delete: Vec<String>,
    /// The status to write after that.
    pub status: TempestScheduleStatus,
    /// What is worth an Event.
    pub notes: Vec<Note>,
    /// When to look again.
    pub again: Duration,
}

/// A run to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its name, which tells what it was made for: made again it is the same.
    pub name: String,
    /// The time that it is for; [`None`]: it was asked for by `runToken`.
    pub schedule_time: Option<Timestamp>,
}

/// Something worth an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Normal or a warning.
    pub type_: EventType,
    /// In one word.
    pub reason: &'static str,
    /// For a person.
    pub text: String,
}

/// Decides.
pub fn decide(observed: &Observed<'_>, now: Timestamp) -> Step {
    let Observed { spec, runs, .. } = observed;
    let mut step = Step {
        status: observed.status.clone(),
        delete: results::too_many(spec, runs),
        again: AT_LEAST,
        ..Step::default()
    };
    results::note(&mut step.status, runs);
    step.status.active = runs.iter().filter(|run| run.end.is_none()).map(|run| run.name.clone()).collect();
    match observed.times {
        Ok(times) => keep_time(observed, times, now, &mut step),
        Err(_) => step.status.next_schedule_time = None,
    }
    ask(observed, &mut step);
    conclude(observed, now, &mut step);
    step
}

/// What follows when the API server refuses the run that was to be made, in these words: it stays due.
pub fn refused(observed: &Observed<'_>, step: Step, start: &Start, words: &str, now: Timestamp) -> Step {
    let before = observed.status;
    let message = format!("{} cannot be made: {}", start.name, shorten(words, MESSAGE));
    let mut status = TempestScheduleStatus {
        schedule: before.schedule.clone(),
        handled_until: before.handled_until,
        next_schedule_time: before.next_schedule_time,
        last_schedule_time: before.last_schedule_time,
        run_token: before.run_token.clone(),
        missed: before.missed,
        skipped: before.skipped,
        ..step.status
    };
    status.active.retain(|name| *name != start.name);
    let of_health = |condition: &Condition| condition.type_ == "Healthy";
    let mut conditions = rows(
        &[("Ready", "False"), ("Stalled", "True")],
        REFUSED,
        &message,
        observed.generation,
        now,
        &before.conditions,
    );
    conditions.extend(status.conditions.into_iter().filter(of_health));
    status.conditions = conditions;
    let is_news = !before.conditions.iter().any(|condition| condition.reason == REFUSED);
    let note = Note { type_: EventType::Warning, reason: REFUSED, text: message };
    Step {
        notes: is_news.then_some(note).into_iter().collect(),
        again: WHILE_REFUSED,
        status,
        ..Step::default()
    }
}

/// Starts, skips or misses the times that came since.
fn keep_time(observed: &Observed<'_>, times: &Times, now: Timestamp, step: &mut Step) {
    let spec = observed.spec;
    let schedule = format!("{} {}", spec.schedule, spec.time_zone.as_deref().unwrap_or("UTC"));
    let status = &mut step.status;
    let handled = match (&status.schedule, status.handled_until) {
        (Some(before), Some(handled)) if *before == schedule => handled,
        // Times of another schedule are not made up for.
        (Some(_), _) => now,
        (None, _) => observed.created,
    };
    status.schedule = Some(schedule);
    status.next_schedule_time = times.after(now);
    let Some(last) = times.up_to(now).filter(|last| *last > handled) else {
        status.handled_until = Some(handled);
        return;
    };
    status.handled_until = Some(last);
    if spec.suspend {
        return;
    }
    // Most often it is the one that was waited for.
    let mut missed =
        if observed.status.next_schedule_time == Some(last) { 0 } else { between(times, handled, last) };
    let late = Duration::try_from(now.duration_since(last)).unwrap_or_default();
    if spec.starting_deadline_seconds.is_some_and(|most| late > Duration::from_secs(most.into())) {
        missed += 1;
    } else {
        let name = format!("{}-{}", observed.name, last.as_second() / 60);
        start(observed, Start { name, schedule_time: Some(last) }, step);
    }
    if missed > 0 {
        step.status.missed += missed;
        let text = format!("{missed} scheduled times went by while nobody was there to start a run");
        step.notes.push(Note { type_: EventType::Warning, reason: "SchedulesMissed", text });
    }
}

/// How many times came between the two.
fn between(times: &Times, handled: Timestamp, last: Timestamp) -> u32 {
    let all = std::iter::successors(times.after(handled), |time| times.after(*time));
    let count = all.take_while(|time| *time < last).take(COUNTED as usize).count();
    u32::try_from(count).unwrap_or(COUNTED)
}

/// Starts what a changed `runToken` asks for; a run that is under way is waited for, where none may be beside it.
fn ask(observed: &Observed<'_>, step: &mut Step) {
    let Some(token) = observed.spec.run_token.as_ref() else { return };
    if step.status.run_token.as_ref() == Some(token) {
        return;
    }
    if step.start.is_some() {
        step.again = WHILE_ACTIVE;
        return;
    }
    // With the generation, since a token may come back while the run that it asked for before is still there.
    let asked = format!("{} {token}", observed.generation.unwrap_or_default());
    let of_token = Uuid::new_v5(&Uuid::NAMESPACE_OID, asked.as_bytes()).simple().to_string();
    let name = format!("{}-{}", observed.name, &of_token[..8]);
    if others(observed, &name).is_empty()
        || observed.spec.concurrency_policy.unwrap_or_default() != ConcurrencyPolicy::Forbid
    {
        start(observed, Start { name, schedule_time: None }, step);
        step.status.run_token = Some(token.clone());
    }
}

/// The runs that are under way, but for the one of this name.
fn others<'a>(observed: &Observed<'a>, name: &str) -> Vec<&'a Run> {
    observed.runs.iter().filter(|run| run.end.is_none() && run.name != name).collect()
}

fn start(observed: &Observed<'_>, start: Start, step: &mut Step) {
    let others = others(observed, &start.name);
    match observed.spec.concurrency_policy.unwrap_or_default() {
        ConcurrencyPolicy::Forbid if !others.is_empty() => {
            step.status.skipped += 1;
            let text = format!("{} was not started: {} has not ended", start.name, others[0].name);
            step.notes.push(Note { type_: EventType::Warning, reason: "RunSkipped", text });
            return;
        }
        ConcurrencyPolicy::Replace => step.cancel = others.iter().map(|run| run.name.clone()).collect(),
        ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Allow => {}
    }
    step.status.last_schedule_time = start.schedule_time.or(step.status.last_schedule_time);
    if !step.status.active.contains(&start.name) && !observed.runs.iter().any(|run| run.name == start.name) {
        step.status.active.push(start.name.clone());
    }
    step.start = Some(start);
}

/// Says how it stands, and when to look again.
fn conclude(observed: &Observed<'_>, now: Timestamp, step: &mut Step) {
    let (generation, before) = (observed.generation, &observed.status.conditions);
    let threshold = observed.spec.failure_threshold.unwrap_or(1);
    let status = &mut step.status;
    let next = status.next_schedule_time;
    let (valid, reason, message) = match (observed.times, next) {
        (Err(fault), _) => (false, "InvalidSchedule", fault.clone()),
        (Ok(_), _) if observed.spec.suspend => (true, "Suspended", "spec.suspend is set".to_owned()),
        (Ok(_), Some(next)) => (true, "Scheduled", format!("the next run begins at {next}")),
        (Ok(_), None) => (true, "Scheduled", "no time comes any more".to_owned()),
    };
    let (yes, no) = if valid { ("True", "False") } else { ("False", "True") };
    let mut conditions = rows(&[("Ready", yes), ("Stalled", no)], reason, &message, generation, now, before);
    let (healthy, reason) = match status.streak {
        // Cancelled runs say nothing.
        None => ("Unknown", "NoRunEnded"),
        Some(_) if status.consecutive_failures >= threshold => ("False", "RunsFail"),
        Some(_) => ("True", "RunsPass"),
    };
    let streak = status
        .streak
        .as_deref()
        .map_or_else(|| "no run has ended".to_owned(), |streak| format!("the last runs: {streak}"));
    conditions.extend(rows(&[("Healthy", healthy)], reason, &streak, generation, now, before));
    let was = before.iter().find(|old| old.type_ == "Healthy").map_or("Unknown", |old| old.status.as_str());
    match (was, healthy) {
        ("True" | "Unknown", "False") => {
            step.notes.push(Note { type_: EventType::Warning, reason: "RunsFail", text: streak });
        }
        ("False", "True") => {
            step.notes.push(Note { type_: EventType::Normal, reason: "RunsPass", text: streak });
        }
        _ => {}
    }
    status.conditions = conditions;
    status.observed_generation = generation;
    if !status.active.is_empty() {
        step.again = step.again.min(WHILE_ACTIVE);
    }
    if let Some(next) = next {
        let until = Duration::try_from(next.duration_since(now)).unwrap_or_default();
        step.again = step.again.min(until.max(Duration::from_millis(1)));
    }
}

#[cfg(test)]
mod tests;
