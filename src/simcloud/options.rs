//! What a simulated cloud is made of: its speed, its size, and where it listens.

use std::{fmt, net::IpAddr, net::Ipv4Addr, sync::Arc, time::Duration};

/// How long the simulated cloud takes for its asynchronous work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// Everything asynchronous is done by the next look at the cloud.
    #[default]
    Zero,
    /// The pace of a small real cloud, with jitter drawn from the seed.
    Realistic {
        /// Seeds the jitter.
        seed: u64,
    },
    /// Exactly these durations.
    Stages(Stages),
}

/// The durations of the asynchronous stages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// Nova: from the accepted create to ACTIVE.
    pub server_build: Duration,
    /// Nova: from the accepted delete to 404.
    pub server_delete: Duration,
    /// Designate: from a change to the serial bump that carries it (changes in between share it).
    pub serial_batch: Duration,
    /// Designate: from a serial bump to the poll of the name servers that settles the status.
    pub poll_delay: Duration,
    /// Name servers: a zone transfer to the first server; each further server takes as long again.
    pub transfer: Duration,
    /// Heat: the engine's own time for one round of resources.
    pub stack_step: Duration,
    /// Every HTTP answer.
    pub api: Duration,
    /// Each duration is lengthened by a random share up to this many percent.
    pub jitter_percent: u32,
}

impl Latency {
    pub(crate) fn stages(&self) -> Stages {
        match self {
            Self::Zero => Stages::default(),
            Self::Stages(stages) => stages.clone(),
            Self::Realistic { .. } => Stages {
                server_build: Duration::from_secs(4),
                server_delete: Duration::from_secs(2),
                serial_batch: Duration::from_millis(1500),
                poll_delay: Duration::from_secs(2),
                transfer: Duration::from_millis(250),
                stack_step: Duration::from_millis(300),
                api: Duration::from_millis(15),
                jitter_percent: 50,
            },
        }
    }
}

/// What a guest needs to know to print its console: how a test plays a booted machine.
#[derive(Clone, Debug)]
pub struct GuestView {
    /// The server's id.
    pub server_id: String,
    /// The server's name.
    pub name: String,
    /// The project that owns it.
    pub project_id: String,
    /// The decoded user data.
    pub user_data: String,
    /// The server's metadata.
    pub metadata: Vec<(String, String)>,
    /// The fixed addresses of its ports.
    pub addresses: Vec<IpAddr>,
    /// What the DNS of its networks knows: names of ports, with their addresses.
    pub names: Vec<(String, IpAddr)>,
}

/// Answers with what a booted guest has printed.
pub type Console = Arc<dyn Fn(&GuestView) -> String + Send + Sync>;

/// Whether servers boot a guest.
#[derive(Clone, Default)]
pub enum Guests {
    /// As Nova's fake driver: no machine, a fixed console text.
    #[default]
    NoBoot,
    /// The console is what this function says.
    Booted(Console),
}

impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoBoot => "NoBoot",
            Self::Booted(_) => "Booted",
        })
    }
}

/// What every project may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Neutron networks.
    pub networks: usize,
    /// Neutron subnets.
    pub subnets: usize,
    /// Neutron ports.
    pub ports: usize,
    /// Neutron routers.
    pub routers: usize,
    /// Neutron floating IPs.
    pub floating_ips: usize,
    /// Neutron security groups.
    pub security_groups: usize,
    /// Nova servers.
    pub instances: usize,
    /// Designate zones.
    pub zones: usize,
    /// Designate record sets a zone.
    pub zone_recordsets: usize,
    /// Designate records a record set.
    pub recordset_records: usize,
    /// Heat stacks.
    pub stacks: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            networks: 1000,
            subnets: 1000,
            ports: 4000,
            routers: 1000,
            floating_ips: 1000,
            security_groups: 1000,
            instances: 1000,
            zones: 1000,
            zone_recordsets: 500,
            recordset_records: 20,
            stacks: 2000,
        }
    }
}

/// How to make a simulated cloud.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// The pace.
    pub latency: Latency,
    /// Seeds ids, tokens and chance.
    pub seed: u64,
    /// How many authoritative name servers there are (at least one).
    pub name_server_count: usize,
    /// How long a token lives.
    pub token_lifetime: Duration,
    /// The address to listen on.
    pub listen: IpAddr,
    /// The HTTP port; name servers take the ports after it. Without it the system chooses.
    pub base_port: Option<u16>,
    /// Quotas of every project.
    pub quotas: Quotas,
    /// Whether servers boot a guest.
    pub guests: Guests,
    /// The suffix under which tests may make zones.
    pub zone_suffix: String,
    /// Neutron's own `dns_domain` setting; empty means that `dns_name` is ignored.
    pub dns_domain: String,
    /// Whether Neutron has an external DNS driver and publishes.
    pub external_dns: bool,
    /// Whether Neutron publishes reverse records.
    pub reverse_dns: bool,
    /// The shared secret of all built-in users.
    pub password: String,
    /// How many recorded requests are kept; counters are always complete.
    pub recorded_requests: usize,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            latency: Latency::Zero,
            seed: 1,
            name_server_count: 2,
            token_lifetime: Duration::from_hours(1),
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_port: None,
            quotas: Quotas::default(),
            guests: Guests::NoBoot,
            zone_suffix: "example.test.".to_owned(),
            dns_domain: "internal.test.".to_owned(),
            external_dns: true,
            reverse_dns: true,
            password: "simcloud-password".to_owned(),
            recorded_requests: 4096,
        }
    }
}
