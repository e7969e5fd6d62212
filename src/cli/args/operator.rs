//! The operator and its pods.

use std::time::Duration;

use clap::Args;
use tempest_operator::openstack::Cidr;

use super::values::{LogFormat, duration};

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
    /// Addresses that no cloud or name server may have, such as the cluster's services; may be repeated
    #[arg(long, env = "TEMPEST_DENY", value_name = "CIDR", value_delimiter = ',')]
    pub deny: Vec<Cidr>,
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
    /// When nodes pull it [default: as Kubernetes has it]
    #[arg(long, env = "TEMPEST_JOB_IMAGE_PULL_POLICY", value_name = "POLICY", value_parser = ["Always", "IfNotPresent", "Never"], help_heading = "Runs in pods of their own")]
    pub job_image_pull_policy: Option<String>,
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
    /// Addresses that no cloud or name server may have; may be repeated
    #[arg(long, value_name = "CIDR")]
    pub deny: Vec<Cidr>,
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
    if !(Duration::from_secs(3)..=Duration::from_hours(24)).contains(&parsed) || parsed.subsec_nanos() > 0 {
        return Err(format!("'{text}' is not in whole seconds from 3s to 24h"));
    }
    Ok(parsed)
}
