//! Which cloud, which scenarios, and what is remembered.

#![expect(clippy::doc_markdown, reason = "these comments are the help that people read")]

use std::path::PathBuf;

use clap::Args;
use tempest_operator::openstack::Cidr;

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
    pub deny: Vec<Cidr>,
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
