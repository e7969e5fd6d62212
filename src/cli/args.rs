//! The arguments.

#![expect(clippy::doc_markdown, reason = "these comments are the help that people read")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;

use super::cluster::ClusterArgs;

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

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table for people
    #[default]
    Table,
    /// The full report
    Json,
    /// The status as Kubernetes would show it
    Yaml,
}

/// How the list of scenarios is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// A table for people
    #[default]
    Table,
    /// Everything that is known of them
    Json,
    /// The same as YAML
    Yaml,
    /// As a page of documentation
    Markdown,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// How fast the simulated cloud is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Latency {
    /// As a small real cloud
    #[default]
    Realistic,
    /// At once
    Zero,
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

/// Which cloud, and what of it may be used.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Cloud")]
pub struct CloudArgs {
    /// Entry of clouds.yaml, found as every OpenStack client finds it; wins over the Secret of --file [default: $OS_CLOUD, else $OS_AUTH_URL, else the only entry]
    #[arg(long, value_name = "NAME")]
    pub os_cloud: Option<String>,
    /// A TempestRun as for Kubernetes; its Secret may be in the same file
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Entry of a member of another project
    #[arg(long, value_name = "NAME")]
    pub alternate: Option<String>,
    /// Entry of an administrator
    #[arg(long, value_name = "NAME")]
    pub admin: Option<String>,
    /// Entry of a reader of the project
    #[arg(long, value_name = "NAME")]
    pub reader: Option<String>,
    /// Everything that is made in DNS lies under this domain [default: tempest.example.]
    #[arg(long, env = "TEMPEST_ZONE_SUFFIX", value_name = "DOMAIN")]
    pub zone_suffix: Option<String>,
    /// Image to boot, by name or id [default: discovered]
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Flavor, by name or id [default: discovered]
    #[arg(long, value_name = "FLAVOR")]
    pub flavor: Option<String>,
    /// External network for floating IPs, by name or id [default: discovered]
    #[arg(long, value_name = "NETWORK")]
    pub floating_network: Option<String>,
    /// Network whose ports' fixed addresses are published, by name or id
    #[arg(long, value_name = "NETWORK")]
    pub published_network: Option<String>,
    /// Authoritative name server as host, address or address:port; may be repeated [default: the zone's NS set]
    #[arg(long, value_name = "SERVER")]
    pub nameserver: Vec<String>,
    /// Addresses that must not be spoken to, such as 10.96.0.0/12; may be repeated
    #[arg(long, value_name = "CIDR")]
    pub deny: Vec<String>,
}

/// Which scenarios.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Scenarios")]
pub struct SelectArgs {
    /// Only scenarios whose name matches this glob; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Leaves scenarios out, with the reason after '='; may be repeated
    #[arg(long, value_name = "GLOB[=REASON]")]
    pub exclude: Vec<String>,
    /// Only scenarios with one of these tags
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// A scenario of your own: a file of TempestScenarios, or a folder with a scenario.yaml and the HOT templates beside it; may be repeated. Only these are played, unless --include or --tags say otherwise
    #[arg(long, value_name = "PATH")]
    pub scenario: Vec<PathBuf>,
}

/// What is remembered between runs.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "State")]
pub struct StateArgs {
    /// Where ledgers and the installation id are kept [default: $XDG_STATE_HOME/tempest-operator]
    #[arg(long, env = "TEMPEST_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Who this is, on everything that is made in the cloud [default: a random id, made once]
    #[arg(long, env = "TEMPEST_INSTALLATION", value_name = "ID")]
    pub installation: Option<String>,
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

/// controller
#[derive(Debug, Args)]
pub struct ControllerArgs {
    /// Namespace to serve; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    pub namespace: Vec<String>,
    /// Where health and metrics are served
    #[arg(long, env = "TEMPEST_BIND", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub bind: std::net::SocketAddr,
    /// Clouds and name servers on this machine may be spoken to
    #[arg(long, env = "TEMPEST_ALLOW_LOOPBACK_ENDPOINTS")]
    pub allow_loopback_endpoints: bool,
    /// Who this operator is, on everything that it makes in clouds
    #[arg(long, env = "TEMPEST_INSTALLATION", value_name = "ID", default_value = "default")]
    pub installation: String,
    /// How many runs play at once; the others wait in a queue that is fair between namespaces
    #[arg(long, env = "TEMPEST_MAX_CONCURRENT_RUNS", value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Queue")]
    pub max_concurrent_runs: u16,
    /// How many of them in one project of one cloud
    #[arg(long, env = "TEMPEST_MAX_CONCURRENT_RUNS_PER_CLOUD", value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Queue")]
    pub max_concurrent_runs_per_cloud: u16,
    /// Namespace of the Lease that decides which replica acts [default: the operator's own]
    #[arg(long, env = "TEMPEST_LEASE_NAMESPACE", value_name = "NAME", help_heading = "Leader election")]
    pub lease_namespace: Option<String>,
    /// Name of that Lease
    #[arg(
        long,
        env = "TEMPEST_LEASE_NAME",
        value_name = "NAME",
        default_value = "tempest-operator",
        help_heading = "Leader election"
    )]
    pub lease_name: String,
    /// How long the other replicas wait for one that is not heard of, at least 3s
    #[arg(long, env = "TEMPEST_LEASE_DURATION", value_name = "DURATION", default_value = "15s", value_parser = lease_duration, help_heading = "Leader election")]
    pub lease_duration: Duration,
    /// The image of the pods of runs with 'executor: Job'; without it such runs are refused
    #[arg(long, env = "TEMPEST_JOB_IMAGE", value_name = "IMAGE", help_heading = "Runs in pods of their own")]
    pub job_image: Option<String>,
    /// The service account of these pods, in the namespace of the run, unless the run names another one
    #[arg(
        long,
        env = "TEMPEST_JOB_SERVICE_ACCOUNT",
        value_name = "NAME",
        default_value = "tempest-operator-run",
        help_heading = "Runs in pods of their own"
    )]
    pub job_service_account: String,
    /// A Secret to pull the image with, in the namespace of the run; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Runs in pods of their own")]
    pub job_image_pull_secret: Vec<String>,
    /// How log lines look
    #[arg(long, env = "TEMPEST_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// play
#[derive(Debug, Args)]
pub struct PlayArgs {
    /// The run's namespace
    #[arg(long, value_name = "NAME")]
    pub namespace: String,
    /// The run
    #[arg(long, value_name = "NAME")]
    pub run: String,
    /// Its UID
    #[arg(long, value_name = "UID")]
    pub uid: String,
    /// The attempt that is played
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempt: u32,
    /// Clouds and name servers on this machine may be spoken to
    #[arg(long)]
    pub allow_loopback_endpoints: bool,
    /// Who the operator is, on everything that is made in clouds
    #[arg(long, value_name = "ID", default_value = "default")]
    pub installation: String,
    /// How long the operator waits for this process when it is not heard of, at least 3s
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = lease_duration)]
    pub lease_duration: Duration,
    /// How log lines look
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

fn lease_duration(text: &str) -> Result<Duration, String> {
    let parsed = duration(text)?;
    // Its wire form has whole seconds, and a renewal must have time to fail and to be tried again.
    if parsed < Duration::from_secs(3) || parsed.subsec_nanos() > 0 {
        return Err(format!("'{text}' is too short or not in whole seconds; use at least 3s"));
    }
    Ok(parsed)
}

/// A run as kubectl names it: by its name, or with its kind before it.
pub fn run_name(text: &str) -> Result<String, String> {
    let name = match text.split_once('/') {
        Some(("tempestrun" | "tempestruns" | "trun", name)) => name,
        Some((kind, _)) => return Err(format!("'{kind}' is not 'tempestrun'")),
        None => text,
    };
    if name.is_empty() { Err("the name is missing".to_owned()) } else { Ok(name.to_owned()) }
}

/// A length of time, such as 90s, 30m or 24h.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no duration; use one such as 90s, 30m or 24h");
    let parsed: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
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

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert!(duration("-1h").is_err());
        assert!(duration("soon").is_err());
    }
}
