//! `try`: plays scenarios against a simulated cloud in this process.

use std::sync::Arc;

use tempest_operator::outcome::Verdict;
use tempest_operator::runner::ledger::{Forgetful, Ledger};

use crate::cli::args::{Latency, Output, TryArgs};
use crate::cli::exit::Exit;
use crate::cli::logging::LogOutput;
use crate::cli::play::{play, render};
use crate::cli::problem::Problem;
use crate::cli::request::{self, Request};
use crate::cli::{simulated, terminal};

/// Runs the command.
pub async fn run(args: TryArgs, log: LogOutput) -> Result<Exit, Problem> {
    let cloud = simulated::start(args.latency, None).await?;
    let mut spec = request::empty_spec();
    cloud.zone_suffix().clone_into(&mut spec.cloud.zone_suffix);
    spec.cloud.nameservers = cloud.name_servers().iter().map(ToString::to_string).collect();
    spec.cloud.primary = Some("demo".to_owned());
    spec.cloud.alternate = Some("demo2".to_owned());
    spec.cloud.admin = Some("admin".to_owned());
    spec.cloud.reader = Some("reader".to_owned());
    // Which network publishes is an administrator's knowledge, and this cloud is our own.
    spec.cloud.published_network = Some("published".to_owned());
    if args.latency == Latency::Zero {
        // What does not happen at once here never does.
        spec.execution.timeout_scale_percent = Some(10);
        spec.execution.max_parallel = Some(16);
    }
    let request = Request::of_text(spec, &args.select, &cloud.clouds_yaml())?;
    let run = request::new_run("try");
    let planner = request.planner(run.clone())?;
    // The simulated cloud ends with this process, and so does everything that is in it.
    let ledger = Arc::new(Ledger::new(run.clone(), Box::new(Forgetful)));
    let policy = request.policy();
    let report = play(request.inputs(run), planner, ledger, &policy, &log).await?;

    terminal::out(&render(&report, &policy, args.output)?)?;
    if args.output == Output::Table {
        terminal::out(&format!(
            "\nThe status that a TempestRun would have:\n\n{}",
            render(&report, &policy, Output::Yaml)?
        ))?;
    }
    Ok(report.verdict.unwrap_or(Verdict::Errored).into())
}
