//! `report`: the full report of a run in a Kubernetes cluster.

use std::sync::Arc;
use std::time::Duration;

use kube::config::Config;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use tempest_operator::api::tempest_run::{Phase, TempestRun};
use tempest_operator::controller::reports::{self, JSON, JUNIT, Reports};
use tempest_operator::outcome::Verdict;
use tempest_operator::plan;
use tempest_operator::report::{RunReport, table, text};

use crate::cli::args::{ReportArgs, ReportForm};
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command.
pub async fn run(args: ReportArgs) -> Result<Exit, Problem> {
    let config = Config::infer().await.map_err(|error| {
        Problem::input("there is no Kubernetes to ask").because(error).next("set KUBECONFIG")
    })?;
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config)
        .map_err(|error| Problem::input("the Kubernetes configuration cannot be used").because(error))?;
    let named = format!("tempestrun/{} in namespace {namespace}", args.name);
    let unreadable = |error: kube::Error| {
        Problem::unable(format!("{named} cannot be read"))
            .because(error)
            .next("check that you may get tempestruns and configmaps of the namespace")
    };
    let runs: Api<TempestRun> = Api::namespaced(client.clone(), &namespace);
    if let Some(limit) = args.wait {
        wait_for_the_end(&runs, &args.name, limit, &named).await?;
    }
    let Some(run) = runs.get_opt(&args.name).await.map_err(unreadable)? else {
        return Err(Problem::input(format!("there is no {named}"))
            .next(format!("look with: kubectl get tempestruns --namespace {namespace}")));
    };
    let Some(config_map) = config_map(&run, args.attempt) else {
        return Err(nothing_yet(&run, &named));
    };
    let reports = Reports::of(client, Arc::new(run.clone()), 0);
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

/// Waits for the end of the run, also of one that is yet to be made.
async fn wait_for_the_end(
    runs: &Api<TempestRun>,
    name: &str,
    limit: Duration,
    named: &str,
) -> Result<(), Problem> {
    let ended = await_condition(runs.clone(), name, |run: Option<&TempestRun>| run.is_some_and(has_ended));
    let unreadable = |error| {
        Problem::unable(format!("{named} cannot be waited for"))
            .because(error)
            .next("check that you may list and watch tempestruns of the namespace")
    };
    match tokio::time::timeout(limit, ended).await {
        Ok(end) => end.map(drop).map_err(unreadable),
        Err(_) => Err(Problem::unable(format!("{named} has not ended within {} s", limit.as_secs()))
            .next("give --wait more time, or see its status")),
    }
}

fn has_ended(run: &TempestRun) -> bool {
    run.status.as_ref().is_some_and(|status| {
        status.phase == Some(Phase::Completed) && status.observed_generation == run.metadata.generation
    })
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
    if let Some(finished) = finished.filter(|_| has_ended(run)) {
        return Problem::unable(format!("{named} ended before its first test: {}", finished.reason))
            .next(text::line(&finished.message));
    }
    let phase = run.status.as_ref().and_then(|status| status.phase);
    let phase = phase.map_or_else(|| "not seen by an operator".to_owned(), |phase| format!("{phase:?}"));
    Problem::input(format!("{named} has no report yet: it is {phase}"))
        .next("it is written with the first outcome of a test")
}
