//! The commands, from their arguments to their exit codes.
//!
//! Progress, logs and problems go to standard error, results to standard output.

mod args;
mod cluster;
mod commands;
mod credentials;
mod exit;
mod follow;
mod kubectl;
mod logging;
mod manifest;
mod play;
mod problem;
mod request;
mod scenario_files;
#[cfg(test)]
mod shown_tests;
mod signals;
mod simulated;
mod state;
mod terminal;
#[cfg(feature = "otel")]
mod traces;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use exit::Exit;
use kubectl::Kubectl;
use problem::Problem;

/// Parses the arguments, runs the command and says how it went.
pub fn main() -> ExitCode {
    // First thing of all: every TLS client asks for it.
    tempest_operator::openstack::install_crypto_provider();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nobody left to tell is no reason to fail otherwise.
            let _ = error.print();
            return if asked_for { Exit::Passed } else { Exit::BadInput }.into();
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Problem::unable("the program cannot start its threads").because(error).tell().into();
        }
    };
    let exit = runtime.block_on(run(cli)).unwrap_or_else(|problem| problem.tell());
    #[cfg(feature = "otel")]
    traces::end();
    // What still blocks (a look-up in the system's resolver) must not hold the exit up.
    runtime.shutdown_background();
    exit.into()
}

/// What the arguments ask for, of the program itself or of the plugin that it is by another name.
enum Asked {
    Program(Cli),
    Plugin(Kubectl),
}

fn parse() -> Result<Asked, clap::Error> {
    if kubectl::is_called_by(std::env::args_os().next().as_deref()) {
        return Kubectl::try_parse().map(Asked::Plugin);
    }
    Cli::try_parse().map(Asked::Program)
}

async fn run(asked: Asked) -> Result<Exit, Problem> {
    match asked {
        Asked::Program(cli) => Box::pin(run_program(cli)).await,
        Asked::Plugin(plugin) => kubectl::run(plugin).await,
    }
}

async fn run_program(cli: Cli) -> Result<Exit, Problem> {
    let log = cli.log.as_deref();
    match cli.command {
        Command::Try(args) => commands::try_it::run(args, logging::start(log, "error", false)?).await,
        Command::Run(args) => commands::run::run(*args, logging::start(log, "warn", false)?).await,
        Command::Preflight(args) => {
            logging::start(log, "warn", false)?;
            commands::preflight::run(*args).await
        }
        Command::Scenarios(args) => commands::scenarios::run(args),
        Command::Sweep(args) => {
            logging::start(log, "warn", false)?;
            commands::sweep::run(*args).await
        }
        Command::Report(args) => {
            logging::start(log, "warn", false)?;
            commands::report::run(args).await
        }
        Command::Simcloud(args) => {
            logging::start(log, "warn", false)?;
            commands::simcloud::run(args).await
        }
        Command::Crds(args) => commands::crds::run(&args),
        Command::Controller(args) => {
            logging::start(log, "info", args.log_format == args::LogFormat::Json)?;
            commands::controller::run(*args, log).await
        }
        Command::Play(args) => {
            logging::start(log, "info", args.log_format == args::LogFormat::Json)?;
            Box::pin(commands::play::run(args)).await
        }
    }
}
