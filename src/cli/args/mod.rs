//! The arguments: commands here, what several of them share beside.

#![expect(clippy::doc_markdown, reason = "these comments are the help that people read")]

mod cloud;
mod operator;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use cloud::{CloudArgs, SelectArgs, StateArgs};
pub use operator::{ControllerArgs, PlayArgs};
pub use values::{Latency, ListOutput, LogFormat, Output, duration, run_name};

use crate::cli::cluster::ClusterArgs;

/// Proves that an OpenStack cloud's services work together, from Kubernetes or from here.
#[derive(Debug, Parser)]
#[command(
    name = "tempest-operator",
    version,
    about = "Proves that an OpenStack cloud's services work together",
    after_help = "Examples:\n  tempest-operator try\n  tempest-operator run --os-cloud demo\n\n\
        Exit codes: 0 passed, 1 failed, 2 could not be carried out, 3 bad input, 130 cancelled"
)]
pub struct Cli {
    /// Which logs are written to standard error, such as 'info' or 'tempest_operator=debug'
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER", help_heading = "Logs")]
    pub log: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play scenarios against a simulated cloud in this process
    #[command(after_help = "Examples:\n  tempest-operator try --include 'floating_ip_*'\n  \
        tempest-operator try --latency zero --scenario mine.yaml")]
    Try(TryArgs),
    /// Play scenarios against a cloud
    #[command(after_help = "Examples:\n  tempest-operator run --os-cloud demo\n  \
        tempest-operator run -f run.yaml --include 'floating_ip_*' --output json --junit out.xml")]
    Run(Box<RunArgs>),
    /// Look whether a cloud can be tested, what is missing and why; changes nothing
    #[command(after_help = "Example:\n  tempest-operator preflight --os-cloud demo")]
    Preflight(Box<PreflightArgs>),
    /// List, show and check scenarios
    #[command(subcommand, after_help = "Example:\n  tempest-operator scenarios list")]
    Scenarios(ScenariosCommand),
    /// Undo what earlier runs of this installation left in a cloud
    #[command(after_help = "Example:\n  tempest-operator sweep --os-cloud demo --older-than 24h --dry-run")]
    Sweep(Box<SweepArgs>),
    /// Write the full report of a run in a Kubernetes cluster
    #[command(after_help = "Examples:\n  tempest-operator report tempestrun/nightly --table\n  \
        tempest-operator report tempestrun/nightly --wait 20m --junit > junit.xml")]
    Report(ReportArgs),
    /// Serve a simulated cloud on this machine, and write its clouds.yaml
    #[command(after_help = "Example:\n  tempest-operator simcloud --port 8900 > clouds.yaml")]
    Simcloud(SimcloudArgs),
    /// Write the custom resource definitions
    #[command(after_help = "Example:\n  tempest-operator crds | kubectl apply -f -")]
    Crds(CrdsArgs),
    /// Run the operator: play the TempestRuns of a Kubernetes cluster
    #[command(after_help = "Example:\n  tempest-operator controller --namespace verification")]
    Controller(Box<ControllerArgs>),
    /// Play one attempt of a TempestRun in a pod of its own; the operator's Jobs do so
    #[command(
        after_help = "Example:\n  tempest-operator play --namespace verification --run nightly \\\n    \
        --uid 2f0a9c7e-5a8b-4f6e-9c2d-3b1a7e5f8d90 --attempt 1"
    )]
    Play(PlayArgs),
}

/// try
#[derive(Debug, Args)]
pub struct TryArgs {
    /// Which scenarios.
    #[command(flatten)]
    pub select: SelectArgs,
    /// How fast the simulated cloud is
    #[arg(long, value_enum, default_value_t)]
    pub latency: Latency,
    /// How the result is written
    #[arg(long, short, value_enum, default_value_t, help_heading = "Result")]
    pub output: Output,
}

/// simcloud
#[derive(Debug, Args)]
pub struct SimcloudArgs {
    /// Its port on loopback; its name servers take the two after it
    #[arg(long, value_name = "PORT", default_value_t = 8900, value_parser = clap::value_parser!(u16).range(1..=65533))]
    pub port: u16,
    /// How fast it is
    #[arg(long, value_enum, default_value_t)]
    pub latency: Latency,
}

/// run
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Which scenarios.
    #[command(flatten)]
    pub select: SelectArgs,
    /// How many tests run at once [default: 4]
    #[arg(long, help_heading = "Run", value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub max_parallel: Option<u32>,
    /// The time that the run may take, such as 30m [default: 1h]
    #[arg(long, help_heading = "Run", value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// How often a test that did not pass is tried again; it is flaky when it passes then [default: 0]
    #[arg(long, help_heading = "Run", value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=5))]
    pub retries: Option<u32>,
    /// Keeps what a test made when it did not pass, for a look at it; 'sweep' ends that
    #[arg(long, help_heading = "Run")]
    pub keep_on_failure: bool,
    /// Removes first what runs of this installation left longer ago than this, such as 24h, and what no ledger tells of [default: nothing]
    #[arg(long, help_heading = "Run", value_name = "DURATION", value_parser = duration)]
    pub sweep_older_than: Option<Duration>,
    /// Expects tests to fail, with the reason after '='; may be repeated
    #[arg(long, help_heading = "Run", value_name = "GLOB=REASON")]
    pub expect_failure: Vec<String>,
    /// A test that was expected to fail and passed counts as failed
    #[arg(long, help_heading = "Run")]
    pub strict: bool,
    /// How the result is written
    #[arg(long, short, value_enum, default_value_t, help_heading = "Result")]
    pub output: Output,
    /// Also writes the result as JUnit XML
    #[arg(long, help_heading = "Result", value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// What is remembered.
    #[command(flatten)]
    pub state: StateArgs,
}

/// preflight
#[derive(Debug, Args)]
pub struct PreflightArgs {
    /// Also lets Heat validate every template of the scenarios that would be played
    #[arg(long)]
    pub validate: bool,
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Which scenarios.
    #[command(flatten)]
    pub select: SelectArgs,
    /// How the result is written
    #[arg(long, short, value_enum, default_value_t, help_heading = "Result")]
    pub output: Output,
}

/// sweep
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Which cloud.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Leaves what is younger, such as 24h; what is in the ledger of a run that died goes at any age
    #[arg(long, help_heading = "Sweep", value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub older_than: Duration,
    /// Only says what would be removed
    #[arg(long, help_heading = "Sweep")]
    pub dry_run: bool,
    /// What is remembered.
    #[command(flatten)]
    pub state: StateArgs,
}

/// crds
#[derive(Debug, Args)]
pub struct CrdsArgs {
    /// Writes each into a file of its own in this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub output_dir: Option<PathBuf>,
}

/// report
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run, as kubectl names it
    #[arg(value_name = "tempestrun/NAME", value_parser = run_name)]
    pub name: String,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// An earlier attempt [default: the latest]
    #[arg(long, value_name = "NUMBER")]
    pub attempt: Option<u32>,
    /// Waits so long for the run's end; the exit code is then that of its verdict
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "attempt")]
    pub wait: Option<Duration>,
    /// As a table for people; the default
    #[arg(long, group = "form", help_heading = "Result")]
    pub table: bool,
    /// As JSON, with every step
    #[arg(long, group = "form", help_heading = "Result")]
    pub json: bool,
    /// As JUnit XML
    #[arg(long, group = "form", help_heading = "Result")]
    pub junit: bool,
}

/// How a stored report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportForm {
    /// A table for people.
    Table,
    /// As it is stored.
    Json,
    /// For CI servers.
    Junit,
}

impl ReportArgs {
    /// How it is written.
    pub fn form(&self) -> ReportForm {
        match (self.json, self.junit) {
            (true, _) => ReportForm::Json,
            (_, true) => ReportForm::Junit,
            _ => ReportForm::Table,
        }
    }
}

/// scenarios
#[derive(Debug, Subcommand)]
pub enum ScenariosCommand {
    /// List the built-in scenarios
    #[command(after_help = "Example:\n  tempest-operator scenarios list --tags smoke")]
    List {
        /// Only those with one of these tags
        #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
        tags: Vec<String>,
        /// How the result is written
        #[arg(long, short, value_enum, default_value_t, help_heading = "Result")]
        output: ListOutput,
    },
    /// Write a built-in scenario as a TempestScenario
    #[command(
        after_help = "Example:\n  tempest-operator scenarios show heat_zone_lifecycle | kubectl apply -f -"
    )]
    Show {
        /// Its name
        name: String,
    },
    /// Check scenarios completely, without a cloud
    #[command(after_help = "Example:\n  tempest-operator scenarios check mine.yaml")]
    Check {
        /// Files, or folders with a scenario.yaml and the HOT templates beside it
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent_and_every_command_has_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{} has no example", command.get_name());
            command.get_subcommands().filter(|command| command.get_name() != "help").for_each(check);
        }
        Cli::command().debug_assert();
        check(&Cli::command());
    }
}
