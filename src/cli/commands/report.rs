//! `report`: the full report of a run in a Kubernetes cluster.

use std::sync::Arc;

use kube::ResourceExt;
use tempest_operator::api::tempest_run::TempestRun;
use tempest_operator::controller::reports::{self, JSON, JUNIT, Reports};
use tempest_operator::outcome::Verdict;
use tempest_operator::plan;
use tempest_operator::report::{RunReport, table, text};

use crate::cli::args::{ReportArgs, ReportForm};
use crate::cli::cluster::Cluster;
use crate::cli::exit::Exit;
use crate::cli::follow;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command.
pub async fn run(args: ReportArgs) -> Result<Exit, Problem> {
    let cluster = Cluster::access(&args.cluster).await?;
    let named = cluster.named(&args.name);
    let run = match args.wait {
        Some(limit) => follow::to_the_end(&cluster, &args.name, Some(limit), |_| Ok(())).await?,
        None => cluster.run(&args.name).await?,
    };
    let unreadable = |error: kube::Error| {
        Problem::unable(format!("the report of {named} cannot be read"))
            .because(error)
            .next("check that you may get configmaps of the namespace")
    };
    let Some(config_map) = config_map(&run, args.attempt) else {
        return Err(nothing_yet(&run, &named));
    };
    let reports = Reports::of(cluster.client, Arc::new(run.clone()), 0);
    let mut stored = reports.stored(&config_map).await.map_err(unreadable)?.ok_or_else(|| {
        Problem::input(format!("{named} has no report '{config_map}'"))
            .next(format!("only the latest attempts keep theirs: {}", text::line(&attempts(&run))))
    })?;
    let mut take = |key: &str| {
        stored.remove(key).ok_or_else(|| {
            Problem::input(format!("ConfigMap {config_map} has no {key}"))
                .next("a run that goes on has no JUnit report yet: wait for its end, or ask for --json")
        })
    };
    let shown = match args.form() {
        ReportForm::Json => take(JSON)?,
        ReportForm::Junit => take(JUNIT)?,
        ReportForm::Table => {
            let report: RunReport = serde_json::from_str(&take(JSON)?).map_err(|error| {
                Problem::unable(format!("{JSON} of ConfigMap {config_map} is no report")).because(error)
            })?;
            table::render(&report, &plan::settings(&run.spec).verdict, terminal::width())
        }
    };
    terminal::out(&shown)?;
    if run
        .status
        .iter()
        .flat_map(|status| &status.report)
        .any(|report| report.truncated && report.config_map == config_map)
    {
        terminal::err("note: the report was cut to fit into a ConfigMap\n");
    }
    let verdict = run.status.as_ref().and_then(|status| status.verdict);
    Ok(if args.wait.is_some() { verdict.unwrap_or(Verdict::Errored).into() } else { Exit::Passed })
}

/// Where the report is.
fn config_map(run: &TempestRun, attempt: Option<u32>) -> Option<String> {
    match attempt {
        Some(attempt) => Some(reports::name(&run.name_any(), attempt)),
        None => Some(run.status.as_ref()?.report.as_ref()?.config_map.clone()),
    }
}

fn attempts(run: &TempestRun) -> String {
    let history = run.status.iter().flat_map(|status| &status.history);
    let numbers: Vec<String> = history.map(|attempt| attempt.attempt.to_string()).collect();
    if numbers.is_empty() { "there is none".to_owned() } else { format!("there are {}", numbers.join(", ")) }
}

fn nothing_yet(run: &TempestRun, named: &str) -> Problem {
    let finished =
        run.status.iter().flat_map(|status| &status.conditions).find(|one| one.type_ == "Finished");
    if let Some(finished) = finished.filter(|_| follow::has_ended(run)) {
        return Problem::unable(format!("{named} ended before its first test: {}", finished.reason))
            .next(text::line(&finished.message));
    }
    let phase = run.status.as_ref().and_then(|status| status.phase);
    let phase = phase.map_or_else(|| "not seen by an operator".to_owned(), |phase| format!("{phase:?}"));
    Problem::input(format!("{named} has no report yet: it is {phase}"))
        .next("it is written with the first outcome of a test")
}
