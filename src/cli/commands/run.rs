//! `run`: plays scenarios against a cloud.

use std::sync::Arc;

use tempest_operator::api::tempest_run::{Expectation, OnFailure, TempestRunSpec};
use tempest_operator::outcome::{Verdict, VerdictPolicy};
use tempest_operator::plan::identity::prefix;
use tempest_operator::report::{RunReport, junit, text};
use tempest_operator::runner::ledger::{Entry, Ledger, Undo};
use tempest_operator::runner::{RunInputs, SweepFirst};

use crate::cli::args::RunArgs;
use crate::cli::exit::Exit;
use crate::cli::logging::LogOutput;
use crate::cli::play::{play, render};
use crate::cli::problem::Problem;
use crate::cli::request::{self, Request};
use crate::cli::state::{self, State};
use crate::cli::terminal;

/// Nobody undoes by itself after the command has ended: a week, in seconds, stands for "until it is swept".
const KEPT: u32 = 604_800;

/// Runs the command.
pub async fn run(args: RunArgs, log: LogOutput) -> Result<Exit, Problem> {
    let mut request = Request::read(&args.cloud, &args.select)?;
    adjust(&mut request.spec, &args)?;
    let state = State::open(&args.state)?;
    state.tell_of_leftovers()?;

    let run = request::new_run(&state.installation);
    let planner = request.planner(run.clone())?;
    let origin = request.origin();
    let store = state.ledgers.open(&run, origin.clone()).map_err(|error| {
        Problem::unable("what has to be undone cannot be written down, so nothing is begun")
            .because(error)
            .next("give a directory that you may write to with --state-dir")
    })?;
    let ledger = Arc::new(Ledger::new(run.clone(), Box::new(store)));
    let policy = request.policy();
    let inputs = RunInputs { sweep: sweep_first(&args, &state)?, ..request.inputs(run) };
    let report = play(inputs, planner, Arc::clone(&ledger), &policy, &log).await?;
    if let Err(error) = ledger.close().await {
        tracing::warn!(error = text::chain(&error), "the ledger could not be closed");
    }

    terminal::out(&render(&report, &policy, args.output)?)?;
    if let Some(path) = &args.junit {
        terminal::file(path, &xml(&report, &policy)?)?;
    }
    tell_what_is_left(&ledger.open().await, &origin.cloud);
    Ok(report.verdict.unwrap_or(Verdict::Errored).into())
}

/// What is swept before the run; runs that have a ledger are spared: they are under way, or `sweep` undoes them.
fn sweep_first(args: &RunArgs, state: &State) -> Result<Option<SweepFirst>, Problem> {
    let Some(older_than) = args.sweep_older_than else { return Ok(None) };
    let known = state.list()?.found.into_iter().map(|found| prefix(&found.document.run.run_id));
    Ok(Some(SweepFirst { older_than, spared: known.collect() }))
}

/// Lays what was given as arguments over what the file says.
fn adjust(spec: &mut TempestRunSpec, args: &RunArgs) -> Result<(), Problem> {
    let execution = &mut spec.execution;
    if args.max_parallel.is_some() {
        execution.max_parallel = args.max_parallel;
    }
    if args.retries.is_some() {
        execution.retries = args.retries;
    }
    if let Some(timeout) = args.timeout {
        execution.timeout_seconds = Some(u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX));
    }
    if args.keep_on_failure {
        execution.on_failure = Some(OnFailure { keep_resources_seconds: KEPT });
    }
    spec.scenarios.strict |= args.strict;
    for expected in &args.expect_failure {
        let named = expected.split_once('=').filter(|(name, reason)| !name.is_empty() && !reason.is_empty());
        let Some((name, reason)) = named else {
            return Err(Problem::input(format!(
                "'{expected}' says not which test is expected to fail and why"
            ))
            .next("give --expect-failure a glob and after '=' the reason: 'floating_*=bug 42'"));
        };
        let (name, reason) = (name.to_owned(), reason.to_owned());
        spec.scenarios.expected_failures.push(Expectation { name, reason, until: None });
    }
    Ok(())
}

fn xml(report: &RunReport, policy: &VerdictPolicy) -> Result<String, Problem> {
    junit::render(report, policy)
        .map_err(|error| Problem::unable("the result cannot be shown").because(error))
}

/// Names what the ledger still holds, and how it is undone.
fn tell_what_is_left(entries: &[Entry], cloud: &str) {
    if entries.is_empty() {
        return;
    }
    let lines: Vec<_> = entries.iter().map(|entry| format!("  {}\n", describe(entry))).collect();
    terminal::err(&format!(
        "left in cloud '{}':\n{}  next: {}\n",
        text::line(cloud),
        lines.concat(),
        state::sweep_command(cloud)
    ));
}

/// One entry of a ledger in a safe line.
pub fn describe(entry: &Entry) -> String {
    let what = match &entry.undo {
        Undo::Stack { name, id } => format!("stack {name}{}", in_brackets(id.as_deref())),
        Undo::Item { service, collection, marker, id, .. } => {
            format!("{service} {collection} {marker}{}", in_brackets(id.as_deref()))
        }
        Undo::Restore { service, method, path, .. } => {
            format!("{service}: {method} {path} sets a value back")
        }
    };
    text::line(&format!("{what}, made as {} by step '{}'", entry.role, entry.step))
}

fn in_brackets(id: Option<&str>) -> String {
    id.map(|id| format!(" ({id})")).unwrap_or_default()
}
