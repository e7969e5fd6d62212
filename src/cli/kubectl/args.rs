//! The arguments of `kubectl tempest`.

#![expect(clippy::doc_markdown, reason = "these comments are the help that people read")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cli::args::{ReportArgs, duration, run_name};
use crate::cli::cluster::ClusterArgs;

/// Verifies OpenStack clouds from here: makes TempestRuns, follows them and tells how they went.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-tempest",
    bin_name = "kubectl tempest",
    version,
    about = "Makes TempestRuns, follows them and tells how they went",
    after_help = "Examples:\n  kubectl tempest run -f run.yaml --wait\n  kubectl tempest watch nightly\n  \
        kubectl tempest rerun nightly --failed --wait\n\n\
        Exit codes: 0 passed, 1 failed, 2 could not be carried out, 3 bad input, 130 cancelled"
)]
pub struct Kubectl {
    /// Which logs are written to standard error, such as 'info'
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER", help_heading = "Logs")]
    pub log: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a run, from a file or from what is given here
    #[command(after_help = "Examples:\n  kubectl tempest run -f run.yaml --wait\n  \
        kubectl tempest run --secret clouds --zone-suffix verify.example.org. --include 'heat_*'")]
    Run(Box<MakeArgs>),
    /// Follow a run to its end; the exit code is that of its verdict
    #[command(after_help = "Example:\n  kubectl tempest watch nightly --timeout 30m")]
    Watch(WatchArgs),
    /// Write the full report of a run
    #[command(after_help = "Examples:\n  kubectl tempest report nightly\n  \
        kubectl tempest report nightly --wait 20m --junit > junit.xml")]
    Report(ReportArgs),
    /// Run again what has ended
    #[command(after_help = "Example:\n  kubectl tempest rerun nightly --failed --wait")]
    Rerun(RerunArgs),
    /// Cancel a run: what is under way stops and is undone
    #[command(after_help = "Example:\n  kubectl tempest cancel nightly")]
    Cancel(CancelArgs),
    /// List runs with where they are and how they went
    #[command(after_help = "Example:\n  kubectl tempest list --all-namespaces")]
    List(ListArgs),
}

/// How long to wait, where that is asked for.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Follows the run to its end, so long if that is given; the exit code is then that of its verdict
    #[arg(
        long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = duration,
        default_missing_value = "24h"
    )]
    pub wait: Option<Duration>,
}

/// run
#[derive(Debug, Args)]
pub struct MakeArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// A TempestRun in YAML; its name becomes the beginning of the new run's
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The run's whole name [default: a new one each time]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Waiting.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// The Secret with clouds.yaml
    #[arg(long, value_name = "NAME", help_heading = "Cloud")]
    pub secret: Option<String>,
    /// The entry of clouds.yaml to act as
    #[arg(long, value_name = "NAME", help_heading = "Cloud")]
    pub primary: Option<String>,
    /// Everything that is made in DNS lies under this domain
    #[arg(long, value_name = "DOMAIN", help_heading = "Cloud")]
    pub zone_suffix: Option<String>,
    /// Only scenarios whose name matches this glob; may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "Scenarios")]
    pub include: Vec<String>,
    /// Leaves scenarios out, with the reason after '='; may be repeated
    #[arg(long, value_name = "GLOB=REASON", value_parser = exclusion, help_heading = "Scenarios")]
    pub exclude: Vec<(String, String)>,
    /// Only scenarios with one of these tags
    #[arg(long, value_name = "TAG,…", value_delimiter = ',', help_heading = "Scenarios")]
    pub tags: Vec<String>,
}

/// watch
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The run, as kubectl names it
    #[arg(value_name = "NAME", value_parser = run_name)]
    pub name: String,
    /// How long to wait for its end [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// rerun
#[derive(Debug, Args)]
pub struct RerunArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The run, as kubectl names it
    #[arg(value_name = "NAME", value_parser = run_name)]
    pub name: String,
    /// Plays only what did not pass; the other tests keep their outcome
    #[arg(long)]
    pub failed: bool,
    /// Waiting.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// cancel
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The run, as kubectl names it
    #[arg(value_name = "NAME", value_parser = run_name)]
    pub name: String,
}

/// list
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Those of all namespaces
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Only those with these labels, as kubectl selects them
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    pub selector: Option<String>,
}

fn exclusion(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((glob, reason)) if !glob.is_empty() && !reason.is_empty() => {
            Ok((glob.to_owned(), reason.to_owned()))
        }
        _ => Err("give a glob and after '=' the reason, such as 'floating_*=no routers'".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Kubectl::command().debug_assert();
    }

    #[test]
    fn waiting_needs_no_duration_and_takes_one_only_after_an_equals_sign() {
        let wait = |arguments: &[&str]| {
            let all = ["kubectl-tempest", "rerun"].iter().chain(arguments);
            let Command::Rerun(args) = Kubectl::try_parse_from(all).unwrap().command else { panic!() };
            (args.name, args.wait.wait)
        };
        assert_eq!(wait(&["one"]), ("one".to_owned(), None));
        assert_eq!(wait(&["--wait", "one"]), ("one".to_owned(), Some(Duration::from_hours(24))));
        assert_eq!(wait(&["trun/one", "--wait=5m"]), ("one".to_owned(), Some(Duration::from_mins(5))));
    }
}
